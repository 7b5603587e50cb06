package import Faults
import Glibc

/// Files that take their names together: each lies complete beside its place before the first of them has its name. Without
/// `commit`, nothing remains of them, and older files of the names are untouched.
package struct StagedFiles: ~Copyable {
  private var files: [StagedFile] = []
  private var outdated: [String] = []

  package init() {}

  /// Writes a file beside its place.
  /// - Throws: `cannotCreate` or `inputOutput`, as `AtomicFile`.
  package mutating func add(_ bytes: [UInt8], at path: String) throws(Fault) {
    var file = try AtomicFile(path: path)
    try file.write(bytes)
    try file.synchronize()
    files.append(StagedFile(file))
  }

  /// Has `commit` remove a file that stood beside the older ones, and that none of the new ones replaces.
  package mutating func remove(_ path: String) { outdated.append(path) }

  /// Removes what is outdated, and gives the files their names, durably, in their order.
  ///
  /// The last is to be one that leads to the others, as a page does to its figures: an older one goes first, so that wherever
  /// this ends, it is there with its own files or not at all.
  /// - Throws: `inputOutput`.
  package consuming func commit() throws(Fault) {
    if files.count + outdated.count > 1, let last = files.last?.path {
      try removeOlder(last)
      try syncFolder(of: last)
    }
    for path in outdated { try removeOlder(path) }
    for file in files { try file.commit() }
  }

  private func removeOlder(_ path: String) throws(Fault) {
    guard unlink(path) == 0 || errno == ENOENT else { throw Fault.system(path, "remove the older file") }
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
