import Clmdb
import Faults
import Synchronization

/// When the disk has what a transaction has changed.
///
/// A commit waits for the disk twice: for its pages, and then for the page in front that leads to them. The next commit's
/// first wait is for all that was written before it, so that of commits that follow one another only the last one needs two.
package enum Durability: Sendable {
  /// When the commit returns.
  case atOnce
  /// When the next commit returns, or `makeDurable`. Until then others see the commit, which the computer may lose with its
  /// power; the commit before it is kept then, whole.
  case withNext
}

/// The number of a commit: each has a higher one than those before it.
package typealias CommitNumber = UInt64

/// Which commits of a process the disk has.
final class PendingCommit: Sendable {
  private struct State {
    var last: CommitNumber = 0
    /// The last one that the disk has.
    var durable: CommitNumber = 0
    /// Whether a commit has failed while the disk did not have the one before. The system says only once that it could not
    /// write a page: the next wait would succeed without it.
    var mayBeLost = false
  }

  private let state = Mutex(State())
  /// Held from where LMDB commits until that is noted, and while the disk is waited for: LMDB itself lets the next writer
  /// begin before.
  let turn = Mutex(())

  /// The last commit that has changed anything.
  var last: CommitNumber { state.withLock { $0.last } }
  /// Whether the disk may have missed the front page of the last commit, and will not say so again. Were the next commit
  /// not to wait for its own, the one behind it would use pages again of the only commit that the disk leads to.
  var mayBeLost: Bool { state.withLock { $0.mayBeLost } }

  /// Takes note of the last commit of a file that is opened: who made it may have been killed before it was durable.
  func begin(behind number: CommitNumber) { state.withLock { $0.last = max($0.last, number) } }

  /// Takes note of a commit that has changed something.
  func note(_ number: CommitNumber, _ durability: Durability) {
    state.withLock { state in
      state.last = max(state.last, number)
      switch durability {
      case .atOnce: state.durable = max(state.durable, number)
      // It has waited, but a page that the disk has failed to take before is waited for no more.
      case .withNext: if !state.mayBeLost { state.durable = max(state.durable, number - 1) }
      }
      if state.durable == state.last { state.mayBeLost = false }
    }
  }

  /// Takes note of a commit, or a wait, with which the disk may have failed.
  func fail() {
    state.withLock { if $0.durable < $0.last { $0.mayBeLost = true } }
  }

  /// Waits with `synchronize` until the disk has a commit, if it does not have it yet.
  func makeDurable(upTo commit: CommitNumber, _ path: String, _ synchronize: () -> Int32) throws {
    if state.withLock({ commit <= $0.durable }) { return }
    let code = turn.withLock { _ in
      let code = synchronize()
      if code != MDB_SUCCESS { fail() } else if !mayBeLost { note(last, .atOnce) }
      return code
    }
    try require(code, path, "write to disk")
    if state.withLock({ commit > $0.durable }) {
      throw Fault(
        .inputOutput, path, "may have lost its last commit, which could not be written to the disk",
        remedy: "run the command again")
    }
  }
}
