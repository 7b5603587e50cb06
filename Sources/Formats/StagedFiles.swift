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

  /// Has `commit` remove a regular file that stood beside the older ones, and that none of the new ones replaces.
  package mutating func remove(_ path: String) { outdated.append(path) }

  /// Gives the files their names, durably, in their order, and removes what is outdated before the last of them has its own.
  ///
  /// The last is to be one that leads to the others, as a page does to its figures: an older one goes first, so that wherever
  /// this ends, it is there with its own files or not at all.
  /// - Throws: `inputOutput`; where an outdated file could not be removed, after all others have their names.
  package consuming func commit() throws(Fault) {
    if files.count + outdated.count > 1, let last = files.last?.path {
      if let fault = removeOlder(last) { throw fault }
      try syncFolder(of: last)
    }
    for file in files.dropLast() { try file.commit() }
    let faults = outdated.compactMap(removeOlder)
    try files.last?.commit()
    if let fault = faults.first {
      throw Fault(
        fault.kind, fault.subject, "\(fault.problem); all new files are written", remedy: fault.remedy)
    }
  }
}

/// - Returns: why the file is still there, if it is.
private func removeOlder(_ path: String) -> Fault? {
  if unlink(path) == 0 || errno == ENOENT { return nil }
  return Fault.system(path, "remove the older file")
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
