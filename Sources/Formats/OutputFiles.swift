package import Faults
import Glibc

/// Refuses files to be written that are among those to be read, or in a folder that is read, or among each other, under
/// whatever name, and those that would lie among the files of a database.
/// - Throws: `usage`, and `cannotCreate` for a place among the files of a database.
package func requireSeparateFiles(outputs: [String], inputs: [String] = []) throws(Fault) {
  var uses: [FilePlace: String] = [:]
  for path in inputs { uses[FilePlace(path)] = path }
  for path in outputs {
    if let other = uses.updateValue(path, forKey: FilePlace(path)) {
      let use = inputs.contains(other) ? "read" : "written already"
      throw Fault(
        .usage, path, "would be written over \(other), which is \(use) by the same command",
        remedy: "give another name")
    }
    if let folder = inputs.first(where: { lies(path, inFolder: $0) }) {
      throw Fault(
        .usage, path, "would be written into \(folder), which is read by the same command",
        remedy: "give a place outside it")
    }
    try requirePlaceOutsideDatabases(path)
  }
}

/// Whether a file that is made would lie in a folder, or in a folder in that; false where none has the name.
private func lies(_ path: String, inFolder folder: String) -> Bool {
  resolvedFolder(folder).map(enclosingFolders(of: path).contains) ?? false
}

/// The folders that a file that is made would lie in, the innermost first, up to the root; without links.
func enclosingFolders(of path: String) -> [String] {
  guard var folder = resolvedFolder(nearestFolder(of: path)) else { return [] }
  var folders = [folder]
  while let end = folder.lastIndex(of: "/"), folder != "/" {
    folder = end == folder.startIndex ? "/" : String(folder[..<end])
    folders.append(folder)
  }
  return folders
}

/// The path of a folder without links; nil for what is no folder.
func resolvedFolder(_ path: String) -> String? {
  var status = stat()
  guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, let resolved = realpath(path, nil)
  else { return nil }
  defer { free(resolved) }
  return String(cString: resolved)
}

/// Refuses what would be made in the folder of a database, or in a folder in that: whoever copies, moves or removes the
/// database would do so with it.
/// - Throws: `cannotCreate`.
package func requirePlaceOutsideDatabases(_ path: String) throws(Fault) {
  let database = enclosingFolders(of: path).first { access("\($0)/data.mdb", F_OK) == 0 }
  guard let database else { return }
  throw Fault(
    .cannotCreate, path, "would lie among the files of database \(database)",
    remedy: "give a place outside it")
}

/// The first folder that is there on the way from a path up to the root.
package func nearestFolder(of path: String) -> String {
  var folder = path[...]
  var status = stat()
  func trim() { while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() } }
  repeat {
    trim()
    guard let end = folder.lastIndex(of: "/") else { return "." }
    folder = folder[...end]
    trim()
  } while stat(String(folder), &status) != 0
  return String(folder)
}

/// What a path leads to: a file that is there, or a name in a folder that is there.
private enum FilePlace: Hashable {
  case file(device: UInt64, inode: UInt64)
  case name(device: UInt64, inode: UInt64, name: String)
  /// The folder is not there either.
  case path(String)

  init(_ path: String) {
    if let file = FileIdentity(path: path) {
      self = .file(device: file.device, inode: file.inode)
      return
    }
    let end = path.lastIndex(of: "/")
    let folder = end.map { String(path[...$0]) } ?? "."
    let name = end.map { String(path[path.index(after: $0)...]) } ?? path
    if let folder = FileIdentity(path: folder) {
      self = .name(device: folder.device, inode: folder.inode, name: name)
    } else {
      self = .path(path)
    }
  }
}
