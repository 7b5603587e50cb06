import Dispatch

/// `work` of 0..<count in order, carried out by at most `threads` threads.
func concurrentMap<Value: Sendable>(
  _ count: Int, threads: Int, _ work: @Sendable (Int) -> Value
) -> [Value] {
  let workers = min(max(threads, 1), count)
  return [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
    // Each index is written by one worker, and read after all have ended.
    nonisolated(unsafe) let slots = buffer
    DispatchQueue.concurrentPerform(iterations: workers) { worker in
      for index in stride(from: worker, to: count, by: workers) {
        slots.initializeElement(at: index, to: work(index))
      }
    }
    initialized = count
  }
}
