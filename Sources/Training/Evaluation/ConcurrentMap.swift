import Dispatch
import Synchronization

/// `work` of 0..<count in order, carried out by at most `threads` threads.
/// - Throws: what the first of those that throw does, when all have ended.
func concurrentMap<Value: Sendable>(
  _ count: Int, threads: Int, _ work: @Sendable (Int) throws -> Value
) rethrows -> [Value] {
  try concurrentMap(count, by: Array(repeating: (), count: max(threads, 1))) { index, _ in try work(index) }
}

/// The same, carried out by a thread for each tool, which only that thread uses.
func concurrentMap<Tool: Sendable, Value: Sendable>(
  _ count: Int, by tools: [Tool], _ work: @Sendable (Int, Tool) throws -> Value
) rethrows -> [Value] {
  let workers = min(tools.count, count)
  let memoryLimit = ScratchSpace.memoryLimit
  let results = [Result<Value, any Error>](unsafeUninitializedCapacity: count) { buffer, initialized in
    // Each index is written by one worker, and read after all have ended.
    nonisolated(unsafe) let slots = buffer
    let taken = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: workers) { worker in
      ScratchSpace.$memoryLimit.withValue(memoryLimit) {
        while true {
          let index = taken.add(1, ordering: .relaxed).oldValue
          guard index < count else { return }
          slots.initializeElement(at: index, to: Result { try work(index, tools[worker]) })
        }
      }
    }
    initialized = count
  }
  return try results.map { try $0.get() }
}
