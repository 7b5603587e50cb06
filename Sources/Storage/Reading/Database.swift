package import Faults
import Glibc

/// A database open for reading. Many processes may read one database beside one writer; each `read` sees the
/// state of the last commit before it.
package final class Database: Sendable {
  package let path: String
  private let lease: EnvironmentLease
  var environment: Environment { lease.environment }
  /// Whether nothing else in the process has the database open.
  var isOnlyOneInProcess: Bool { lease.isOnlyOne }

  /// Opens an existing database.
  /// - Throws: `missingInput` when there is none, `badData` when its format is newer or it is damaged.
  package convenience init(path: String) throws {
    var status = stat()
    if stat("\(path)/data.mdb", &status) != 0 {
      guard errno == ENOENT || errno == ENOTDIR else { throw Fault.system(path, "open the database") }
      throw Fault(
        .missingInput, path, "is no database", remedy: "make one with cellvec ingest or cellvec import")
    }
    if status.st_size == 0 { throw lmdbEmptyDatabase(path) }
    try self.init(EnvironmentLease(path: path, isWritable: false))
    // Before anything that another version may have laid out differently.
    let transaction = try Transaction(environment, isWriting: false)
    try transaction.formatHeader().requireSupport(path: path, forWriting: false)
  }

  /// The fields of the database at a path; none when there is no database yet.
  package static func fields(at path: String) throws -> [Field] {
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
    access("\(path)/data.mdb", F_OK) == 0
  }

  /// Runs `body` on a consistent snapshot. Nothing of the snapshot may outlive the call.
  /// - Parameter order: how `body` reads, but for scans of many vectors, which are always in order.
  package func read<Result>(
    expecting order: ReadingOrder = .inOrder, _ body: (borrowing Snapshot) throws -> Result
  ) throws -> Result {
    environment.pages.begin(order)
    defer { environment.pages.end(order) }
    let transaction = try Transaction(environment, isWriting: false)
    let fields = try transaction.allFields()
    let spaces = try transaction.allSpaces()
    return try body(Snapshot(transaction: transaction, fields: fields, spaces: spaces))
  }

  /// Runs `body` on a snapshot of a database that may be damaged: fields and spaces of which the record cannot be read
  /// are left out, with a fault for each.
  package func readRest<Result>(
    _ body: (borrowing Snapshot, _ faults: [Fault]) throws -> Result
  ) throws -> Result {
    environment.pages.begin(.inOrder)
    defer { environment.pages.end(.inOrder) }
    let transaction = try Transaction(environment, isWriting: false)
    var faults: [Fault] = []
    var fields: [Field] = []
    var spaces: [SpaceRecord] = []
    func attempt(_ read: () throws -> Void) throws {
      do { try read() } catch let fault as Fault where fault.kind == .badData { faults.append(fault) }
    }
    try transaction.survey(
      .fields, damage: { fault, _ in faults.append(fault) },
      entry: { key, value in
        try attempt { fields.append(try Field(decoding: value, key: key, besides: fields)) }
      })
    try transaction.survey(
      .spaces, damage: { fault, _ in faults.append(fault) },
      entry: { key, value in
        try attempt { spaces.append(try SpaceRecord(decoding: value, key: key, besides: spaces)) }
      })
    return try body(Snapshot(transaction: transaction, fields: fields, spaces: spaces), faults)
  }

  /// Everything that contradicts itself in the database.
  package func check() throws -> CheckReport {
    try readRest { snapshot, faults in
      var report = snapshot.checkReport()
      report.primary = faults + report.primary
      return report
    }
  }
}
