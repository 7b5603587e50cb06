import Faults
import Glibc

/// Threads of lower priority than the thread that starts them: where the two compete for a core, a background thread
/// gets two fifths of it (nice values weigh 655 to 1024); alone it has all.
final class BackgroundThreads: Sendable {
  /// Added to the nice value, which is a thread's own on Linux.
  private static let niceness: Int32 = 2

  private let threads: [pthread_t]

  /// Starts threads that call `body` once each.
  /// - Throws: `inputOutput` when not even one can be started; fewer than asked for do as well.
  init(count: Int, _ body: @escaping @Sendable () -> Void) throws {
    var threads: [pthread_t] = []
    for _ in 0..<max(1, count) {
      let work = Unmanaged.passRetained(Work(body))
      var thread = pthread_t()
      let code = pthread_create(&thread, nil, { BackgroundThreads.run($0) }, work.toOpaque())
      guard code == 0 else {
        work.release()
        if threads.isEmpty { throw Fault.system("", "start a thread", errno: code) }
        break
      }
      threads.append(thread)
    }
    self.threads = threads
  }

  /// Waits until all have returned; to be called once.
  func join() {
    for thread in threads { pthread_join(thread, nil) }
  }

  private final class Work: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  private static func run(_ work: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    // 0 is the calling thread.
    let one = __priority_which_t(PRIO_PROCESS.rawValue)
    setpriority(one, 0, min(19, getpriority(one, 0) + niceness))
    if let work { Unmanaged<Work>.fromOpaque(work).takeRetainedValue().body() }
    return nil
  }
}
