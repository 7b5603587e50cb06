import Kernels

/// Threads of the process that train together.
enum Crew {
  /// Where the threads wait for one another.
  struct Barrier: @unchecked Sendable {
    // Shared: a structure that only kernels_barrier_wait touches, by atomic instructions. It lives as long as
    // the call that the threads run in. Hence @unchecked Sendable.
    fileprivate let state: UnsafeMutablePointer<kernels_barrier>

    func wait() { kernels_barrier_wait(state) }
  }

  /// Calls `body` once for each thread, at the same time, number 0 on this thread; denormal numbers count as
  /// zero meanwhile. `body` must not start a crew.
  static func run(threads: Int, _ body: (_ number: Int, _ barrier: Barrier) -> Void) {
    var state = kernels_barrier(members: Int32(threads), arrived: 0, round: 0)
    withUnsafeMutablePointer(to: &state) { state in
      withoutActuallyEscaping(body) { body in
        var work = Work(body: body, barrier: Barrier(state: state))
        withUnsafeMutablePointer(to: &work) { work in
          kernels_run_team(
            Int32(threads),
            { context, member in
              let denormals = kernels_flush_denormals()
              defer { kernels_restore_denormals(denormals) }
              guard let work = context?.assumingMemoryBound(to: Work.self).pointee else { return }
              work.body(Int(member), work.barrier)
            }, work)
        }
      }
    }
  }

  private struct Work {
    let body: (Int, Barrier) -> Void
    let barrier: Barrier
  }
}
