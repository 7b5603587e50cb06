import Dispatch
import Kernels
import Synchronization
import Testing

/// Counts its members in, lets them wait for one another, and lets each see whether all had come.
private final class Meeting: Sendable {
  let arrived = Atomic(0)
  let complete = Atomic(0)
  nonisolated(unsafe) let barrier: UnsafeMutablePointer<kernels_barrier>
  let members: Int

  init(members: Int) {
    self.members = members
    barrier = .allocate(capacity: 1)
    barrier.initialize(to: kernels_barrier(members: Int32(members), arrived: 0, round: 0))
  }

  deinit { barrier.deallocate() }

  func hold() {
    kernels_run_team(
      Int32(members),
      { context, _ in
        guard let context else { return }
        let meeting = Unmanaged<Meeting>.fromOpaque(context).takeUnretainedValue()
        for round in 1...3 {
          meeting.arrived.add(1, ordering: .sequentiallyConsistent)
          kernels_barrier_wait(meeting.barrier)
          if meeting.arrived.load(ordering: .sequentiallyConsistent) >= round * meeting.members {
            meeting.complete.add(1, ordering: .sequentiallyConsistent)
          }
          kernels_barrier_wait(meeting.barrier)
        }
      }, Unmanaged.passUnretained(self).toOpaque())
  }
}

@Suite struct TeamTests {
  @Test func membersRunAtTheSameTimeInTeamsOfAnySize() {
    for members in [1, 2, 5, 3, 8, 2] {
      let meeting = Meeting(members: members)
      meeting.hold()
      #expect(meeting.complete.load(ordering: .sequentiallyConsistent) == 3 * members)
    }
  }

  @Test func callersTakeTurns() {
    DispatchQueue.concurrentPerform(iterations: 4) { caller in
      for round in 0..<50 {
        let meeting = Meeting(members: 2 + (caller + round) % 3)
        meeting.hold()
        #expect(meeting.complete.load(ordering: .sequentiallyConsistent) == 3 * meeting.members)
      }
    }
  }
}
