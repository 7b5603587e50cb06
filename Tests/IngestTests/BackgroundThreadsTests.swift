import Glibc
import Synchronization
import Testing

@testable import Ingest

@Suite struct BackgroundThreadsTests {
  @Test func eachThreadRunsOnceAndHasEndedWhenJoined() throws {
    let runs = Atomic(0)
    let threads = try BackgroundThreads(count: 5) { runs.add(1, ordering: .relaxed) }
    threads.join()
    #expect(runs.load(ordering: .relaxed) == 5)
  }

  @Test func onlyThemselvesHaveLowerPriority() throws {
    let thread = __priority_which_t(PRIO_PROCESS.rawValue)
    let before = getpriority(thread, 0)
    let inside = Atomic(before)
    try BackgroundThreads(count: 1) { inside.store(getpriority(thread, 0), ordering: .relaxed) }.join()
    #expect(inside.load(ordering: .relaxed) == min(19, before + 2))
    #expect(getpriority(thread, 0) == before)
  }
}
