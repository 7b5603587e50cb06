package import Faults
import Glibc

/// Files that take their names together: each lies complete beside its place before the first of them has its name. Without
/// `commit`, nothing remains of them, and older files of the names are untouched.
package struct StagedFiles: ~Copyable {
  private var files: [StagedFile] = []

  package init() {}

  /// Writes a file beside its place.
  /// - Throws: `cannotCreate` or `inputOutput`, as `AtomicFile`.
  package mutating func add(_ bytes: [UInt8], at path: String) throws(Fault) {
    var file = try AtomicFile(path: path)
    try file.write(bytes)
    try file.synchronize()
    files.append(StagedFile(file))
  }

  /// Gives the files their names, durably, in their order.
  ///
  /// The last is to be one that leads to the others, as a page does to its figures: an older one goes first, so that wherever
  /// this ends, it is there with its own files or not at all.
  /// - Throws: `inputOutput`.
  package consuming func commit() throws(Fault) {
    if files.count > 1, let last = files.last?.path {
      guard unlink(last) == 0 || errno == ENOENT else { throw Fault.system(last, "remove the older file") }
      try syncFolder(of: last)
    }
    for file in files { try file.commit() }
  }
}

/// An `AtomicFile` that can be kept in an array.
private final class StagedFile {
  let path: String
  private var file: AtomicFile?

  init(_ file: consuming AtomicFile) {
    path = file.path
    self.file = consume file
  }

  func commit() throws(Fault) {
    if let file = file.take() { try file.commit() }
  }
}
