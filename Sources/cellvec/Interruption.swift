import Faults
import Glibc
import Synchronization

/// Ctrl-C as a request to stop at the next place where everything is saved; a second one ends the program at
/// once, which loses no more than the current batch.
enum Interruption {
  /// From now on, the first SIGINT or SIGTERM is a request.
  static func listen() {
    // The handler may not be the first to touch the lazily made variable.
    interruptionWasRequested.store(false, ordering: .relaxed)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in interruptionWasRequested.store(true, ordering: .relaxed) }
    action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_RESTART
    sigaction(SIGINT, &action, nil)
    sigaction(SIGTERM, &action, nil)
  }

  static var isRequested: Bool { interruptionWasRequested.load(ordering: .relaxed) }

  /// - Throws: `cancelled` when the user has asked to stop.
  static func check() throws {
    guard isRequested else { return }
    throw Fault(.cancelled, "", "interrupted", remedy: "what is saved is kept; the same command continues")
  }
}

// A global, because a signal handler cannot capture anything.
private let interruptionWasRequested = Atomic(false)
