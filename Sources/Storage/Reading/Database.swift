import Faults

/// A database open for reading. Many processes may read one database beside one writer; each `read` sees the
/// state of the last commit before it.
package final class Database: Sendable {
  package let path: String
  private let lease: EnvironmentLease
  var environment: Environment { lease.environment }

  /// Opens an existing database.
  /// - Throws: `missingInput` when there is none, `badData` when its format is newer or it is damaged.
  package convenience init(path: String) throws {
    guard Database.exists(at: path) else {
      throw Fault(
        .missingInput, path, "is no database", remedy: "make one with cellvec ingest or cellvec import")
    }
    try self.init(EnvironmentLease(path: path, isWritable: false))
    try read { snapshot in
      try snapshot.transaction.formatHeader().requireSupport(path: path, forWriting: false)
    }
  }

  /// The fields of the database at a path; none when there is no database yet.
  package static func fields(at path: String) throws -> [Field] {
    guard exists(at: path) else { return [] }
    do {
      return try Database(path: path).read { $0.fields }
    } catch let fault as Fault where fault.kind == .missingInput {
      return []
    }
  }

  init(_ lease: EnvironmentLease) {
    path = lease.environment.path
    self.lease = lease
  }

  /// Whether a database file lies at the path.
  package static func exists(at path: String) -> Bool {
    fileExists("\(path)/data.mdb")
  }

  /// Runs `body` on a consistent snapshot. Nothing of the snapshot may outlive the call.
  package func read<Result>(_ body: (borrowing Snapshot) throws -> Result) throws -> Result {
    let transaction = try Transaction(environment, isWriting: false)
    let fields = try transaction.allFields()
    let spaces = try transaction.allSpaces()
    return try body(Snapshot(transaction: transaction, fields: fields, spaces: spaces))
  }
}
