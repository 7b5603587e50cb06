package import Faults
import Glibc

/// A new file that appears under its name complete or not at all: it is written beside it and renamed by
/// `commit`. Without a commit, nothing remains and an older file of that name is untouched. What a process that was killed
/// has left, the next one that writes the same file removes. No file of a database is written over, and none is written
/// beside them.
package struct AtomicFile: ~Copyable {
  package let path: String
  private let partial: PartialFile
  private var isCommitted = false

  /// The files of a database, which no output replaces.
  private static let databaseFiles: Set = ["data.mdb", "lock.mdb", "writer.lock"]

  /// - Throws: `cannotCreate`, also for a name that files of databases have, and for a database's folder.
  package init(path: String) throws(Fault) {
    if let name = path.split(separator: "/").last, AtomicFile.databaseFiles.contains(String(name)) {
      throw Fault(.cannotCreate, path, "has the name of a file of a database", remedy: "give another name")
    }
    try requirePlaceOutsideDatabases(path)
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      throw Fault(.cannotCreate, path, "exists and is not a regular file", remedy: "give another name")
    }
    partial = try PartialFile(of: path)
    self.path = path
  }

  deinit { if !isCommitted { partial.remove() } }

  /// Lends the descriptor to a library that writes by itself.
  package mutating func withDescriptor<Result>(_ body: (Int32) throws -> Result) rethrows -> Result {
    try body(partial.descriptor)
  }

  package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = Glibc.write(
        partial.descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if written < 0, errno == EINTR { continue }
      guard written >= 0 else { throw Fault.system(path, "write \(rest.count) bytes") }
      rest = rest.dropFirst(written)
    }
  }

  package mutating func write(_ bytes: [UInt8]) throws(Fault) {
    try bytes.span.withUnsafeBytes { (bytes) throws(Fault) in try write(bytes) }
  }

  /// Writes over what stands at `offset`; the place of the next `write` stays.
  package mutating func overwrite(_ bytes: [UInt8], at offset: Int) throws(Fault) {
    guard pwrite(partial.descriptor, bytes, bytes.count, off_t(offset)) == bytes.count else {
      throw Fault.system(path, "write \(bytes.count) bytes")
    }
  }

  /// Makes what has been written durable.
  package mutating func synchronize() throws(Fault) {
    guard fsync(partial.descriptor) == 0 else { throw Fault.system(path, "write to disk") }
  }

  /// Makes the file durable and gives it its name, durably too.
  package consuming func commit() throws(Fault) {
    try synchronize()
    guard partial.isNamed else {
      throw Fault(
        .inputOutput, path, "is not written: its unfinished copy \(partial.path) was removed meanwhile",
        remedy: "run the command again, and leave files of that name alone")
    }
    guard partial.take(path) else { throw Fault.system(path, "rename its finished copy") }
    isCommitted = true
    try syncFolder(of: path)
  }
}

/// Makes the name of a file durable: it is kept by the folder, which is written to disk apart from the file.
package func syncFolder(of path: String) throws(Fault) {
  let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
  try syncFolder(folder)
}

/// Makes the names in a folder durable.
package func syncFolder(_ folder: String) throws(Fault) {
  let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard descriptor >= 0 else { throw Fault.system(folder, "open") }
  defer { close(descriptor) }
  // Some file systems have nothing to write for a folder and say so.
  guard fsync(descriptor) == 0 || errno == EINVAL else { throw Fault.system(folder, "write to disk") }
}
