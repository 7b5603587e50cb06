import Dispatch
import Synchronization

/// `work` of 0..<count in order, carried out by at most `threads` threads.
/// - Throws: what the first of those that throw does, when all have ended.
func concurrentMap<Value: Sendable>(
  _ count: Int, threads: Int, _ work: @Sendable (Int) throws -> Value
) rethrows -> [Value] {
  let workers = min(max(threads, 1), count)
  let results = [Result<Value, any Error>](unsafeUninitializedCapacity: count) { buffer, initialized in
    // Each index is written by one worker, and read after all have ended.
    nonisolated(unsafe) let slots = buffer
    let taken = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: workers) { _ in
      while true {
        let index = taken.add(1, ordering: .relaxed).oldValue
        guard index < count else { return }
        slots.initializeElement(at: index, to: Result { try work(index) })
      }
    }
    initialized = count
  }
  return try results.map { try $0.get() }
}
