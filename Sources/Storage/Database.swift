package import Faults

/// A database open for reading. Many processes may read one database beside one writer; each `read` sees the
/// state of the last commit before it.
package final class Database: Sendable {
  package let path: String

  /// Opens an existing database.
  /// - Throws: `missingInput` when there is none, `badData` when its format is newer or damaged.
  package init(path: String) throws {
    fatalError()
  }

  /// Runs `body` on a consistent snapshot. Nothing of the snapshot may outlive the call.
  package func read<Result>(_ body: (borrowing Snapshot) throws -> Result) throws -> Result { fatalError() }
}
