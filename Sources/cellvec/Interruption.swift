import Faults
import Formats
import Glibc
import Synchronization

/// Ctrl-C as a request to stop at the next place where everything is saved; a second one ends the program at
/// once, which loses no more than the current batch and leaves no unfinished file.
enum Interruption {
  /// From now on, the first SIGINT or SIGTERM is a request.
  static func listen() {
    // The handler may not be the first to touch the lazily made variable.
    interruptionWasRequested.store(false, ordering: .relaxed)
    UnfinishedFiles.prepare()
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { signal in
      interruptionWasRequested.store(true, ordering: .relaxed)
      UnfinishedFiles.end(at: signal)
    }
    action.sa_flags = SA_RESTART
    sigaction(SIGINT, &action, nil)
    sigaction(SIGTERM, &action, nil)
  }

  static var isRequested: Bool { interruptionWasRequested.load(ordering: .relaxed) }

  /// What is left of work that was interrupted.
  enum Remains {
    case part
    /// Of work that is saved from time to time: how much this run has added, as 12 and "images", to what there was before.
    case saved(Int, of: String)
    /// Of work that saves something at its end alone.
    case nothing
    /// Of a report that was to be drawn at a path: the evaluation, which was saved, and the database whose cells it shows.
    case evaluation(path: String, database: String, report: String)

    var remedy: String {
      switch self {
      case .saved(0, let things): "no new \(things) were saved; run the same command to go on"
      case .saved(let count, let things):
        "\(things) that this run saved: \(count); run the same command to go on"
      case .part: "what is saved is kept; run the same command to go on"
      case .nothing: "nothing was saved; run the same command to begin again"
      case .evaluation(let path, let database, let report):
        "the evaluation is saved; draw it with cellvec report \(shellWord(path)) --db \(shellWord(database)) "
          + "--output \(shellWord(report))"
      }
    }
  }

  /// - Throws: `cancelled` when the user has asked to stop.
  static func check(leaving remains: Remains = .part) throws {
    guard isRequested else { return }
    throw Fault(.cancelled, "", "interrupted", remedy: remains.remedy)
  }
}

// A global, because a signal handler cannot capture anything.
private let interruptionWasRequested = Atomic(false)
