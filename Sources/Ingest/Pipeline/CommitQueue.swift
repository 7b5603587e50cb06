import Dispatch
import Storage
import Synchronization

/// Commits images one transaction after another, beside the thread that embeds the next.
///
/// A transaction begins and ends on one thread, as LMDB wants it. At most one waits or is under way.
final class CommitQueue: Sendable {
  private struct Outcome {
    var time = Duration.zero
    var failure: (any Error)?
  }

  private let writer: DatabaseWriter
  private let queue = DispatchQueue(label: "cellvec.commit")
  private let outcome = Mutex(Outcome())

  init(_ writer: DatabaseWriter) { self.writer = writer }

  /// Commits the images soon; first waits until those before them are committed.
  /// - Throws: what made an earlier commit fail; nothing is written any more then.
  func commit(_ images: PendingImages) throws {
    wait()
    try check()
    queue.async { [self] in
      let clock = ContinuousClock()
      let start = clock.now
      let result = Result { try images.commit(to: writer) }
      outcome.withLock { outcome in
        outcome.time += clock.now - start
        if case .failure(let error) = result { outcome.failure = error }
      }
    }
  }

  /// - Throws: what made a commit fail.
  func check() throws {
    if let failure = outcome.withLock({ $0.failure }) { throw failure }
  }

  /// Returns when nothing is under way and the queue holds on to the database no longer.
  func wait() { queue.sync {} }

  /// Time spent in commits so far.
  var time: Duration { outcome.withLock { $0.time } }
}
