import Synchronization

/// The one writer of a database, from `init` to the end of its life. Any thread may write, one at a time.
package final class DatabaseWriter: Sendable {
  /// The same database for reading.
  package let database: Database
  private let claim: WriterClaim
  private let replaced = Mutex(0)
  /// The most that `keepMemory` was asked for.
  let keptByteCount = Mutex(0)
  /// In how many cells transactions have replaced a value by another one so far; one is counted each time.
  package var replacedCellCount: Int { replaced.withLock { $0 } }

  /// Opens a database for writing. One that is made is gone again with the writer when nothing was written.
  /// - Parameters:
  ///   - create: make the database when there is none.
  ///   - onWait: called with the holder's name when another process is writing; true to wait, false to give up.
  /// - Throws: `locked` when `onWait` gave up, `missingInput`, `cannotCreate`, or `badData` for a newer format.
  package init(path: String, create: Bool, onWait: (_ holder: String) -> Bool = { _ in false }) throws {
    claim = try WriterClaim(path: path, create: create, onWait: onWait)
    database = Database(try EnvironmentLease(path: path, isWritable: true))
    try DatabaseWriter.checkFormat(database.environment)
  }

  /// What the disk does not have yet, it has when the writer ends. Where it cannot take it, nobody is told, and nobody needs
  /// to be: whoever says that a commit is on the disk has called `makeDurable` before.
  deinit { _ = Result { try makeDurable(upTo: lastCommit) } }

  /// Runs `body` in one transaction: all that it did is in the database when `write` returns, nothing when it throws.
  ///
  /// `body` runs on the calling thread, once no other thread writes; it must not call `write` itself.
  /// - Parameters:
  ///   - isPreparation: whether this is of no use without what follows: a database in which nothing does is not kept for it
  ///     where it is new.
  ///   - durability: when the disk has it.
  @discardableResult
  package func write<Result>(
    isPreparation: Bool = false, durable durability: Durability = .atOnce,
    _ body: (inout WriteTransaction) throws -> Result
  ) throws -> Result {
    var transaction = try WriteTransaction.begin(Transaction(database.environment, isWriting: true))
    let result = try body(&transaction)
    let count = transaction.replacedCellCount
    try transaction.commit(durability)
    if !isPreparation { claim.keep() }
    replaced.withLock { $0 += count }
    return result
  }

  /// The last commit that has changed anything.
  package var lastCommit: CommitNumber { database.environment.pendingCommit.last }

  /// Waits until the disk has a commit, if it does not have it yet.
  /// - Throws: `inputOutput` when it may not have it.
  package func makeDurable(upTo commit: CommitNumber) throws {
    try database.environment.makeDurable(upTo: commit)
  }

  /// Runs `body` in a transaction of which nothing remains.
  func rehearse(_ body: (inout WriteTransaction) throws -> Void) throws {
    var transaction = try WriteTransaction.begin(Transaction(database.environment, isWriting: true))
    try body(&transaction)
  }

  private static func checkFormat(_ environment: Environment) throws {
    let transaction = try Transaction(environment, isWriting: true)
    if try transaction.get(.header, FormatHeader.key) == nil, transaction.count(.cells) == 0 {
      try transaction.put(.header, FormatHeader.key, Document.encode(FormatHeader.current))
      try transaction.commit()
    } else {
      try transaction.formatHeader().requireSupport(path: environment.path, forWriting: true)
    }
  }
}
