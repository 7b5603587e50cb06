import Faults
import Glibc

extension Snapshot {
  /// The version of the format that the database is written in.
  package func formatVersion() throws -> Int { try transaction.formatHeader().version }
}

extension Database {
  /// Bytes that the database takes up on disk.
  package func byteCount() throws -> Int {
    var status = stat()
    guard stat("\(path)/data.mdb", &status) == 0 else { throw Fault.system(path, "inspect the database") }
    // Blocks of stat are 512 bytes whatever the file system.
    return Int(status.st_blocks) * 512
  }
}
