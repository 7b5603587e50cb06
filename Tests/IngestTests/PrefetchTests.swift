import Synchronization
import Testing

@testable import Ingest

@Suite struct PrefetchTests {
  @Test(arguments: [1, 3, 50])
  func resultsComeInOrder(window: Int) {
    let prefetch = Prefetch(count: 20, window: window) { $0 * $0 }
    #expect((0..<20).map { prefetch.take($0) } == (0..<20).map { $0 * $0 })
  }

  @Test func noMoreThanTheWindowIsComputedAhead() {
    let highest = Mutex(0)
    let prefetch = Prefetch(count: 100, window: 4) { index in
      highest.withLock { $0 = max($0, index) }
      return index
    }
    for index in 0..<100 {
      #expect(highest.withLock { $0 } < index + 4)
      _ = prefetch.take(index)
    }
  }

  @Test func whatIsUnderWayEndsBeforeFinishReturns() {
    let started = Mutex(0)
    let ended = Mutex(0)
    let prefetch = Prefetch(count: 100, window: 4) { index in
      started.withLock { $0 += 1 }
      ended.withLock { $0 += 1 }
      return index
    }
    _ = prefetch.take(0)
    prefetch.finish()
    #expect(started.withLock { $0 } == 5)
    #expect(ended.withLock { $0 } == 5)
  }
}
