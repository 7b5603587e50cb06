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

/// Refuses files to be written over images that are in a database.
/// - Parameters:
///   - images: as the database has their paths. One that is not there any more is nobody's.
///   - keepsFolders: whether to refuse any file in a folder that such an image lies in, too: figures would be taken for
///     images by whoever reads the folder again.
/// - Throws: `usage`.
package func requireKept(images: [String], by outputs: [String], keepsFolders: Bool = false) throws(Fault) {
  let replaced = outputs.compactMap { path in FileIdentity(path: path).map { (path: path, file: $0) } }
  var kept: Set<Substring> = []
  for image in images {
    let folder = image.lastIndex(of: "/").map { image[...$0] } ?? "."
    let mayLie = keepsFolders && !kept.contains(folder)
    guard mayLie || !replaced.isEmpty, let file = FileIdentity(path: image) else { continue }
    if let output = replaced.first(where: { $0.file.isSameFile(as: file) }) {
      throw Fault(
        .usage, output.path, "would be written over \(image), an image that is in the database",
        remedy: "give another name")
    }
    guard mayLie else { continue }
    kept.insert(folder)
    if let output = outputs.first(where: { lies($0, inFolder: String(folder)) }) {
      throw Fault(
        .usage, output, "would be written into \(folder), which has images that are in the database",
        remedy: "give a place outside it")
    }
  }
}

/// Whether a file that is made would lie in a folder, or in a folder in that; false where none has the name.
private func lies(_ path: String, inFolder folder: String) -> Bool {
  guard let folder = resolvedFolder(folder), let own = resolvedFolder(nearestFolder(of: path)) else {
    return false
  }
  return own == folder || own.hasPrefix(folder == "/" ? folder : folder + "/")
}

/// The path of a folder without links; nil for what is no folder.
private func resolvedFolder(_ path: String) -> String? {
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
  guard let resolved = resolvedFolder(nearestFolder(of: path)) else { return }
  var folder = resolved[...]
  while let end = folder.lastIndex(of: "/") {
    if access("\(folder)/data.mdb", F_OK) == 0 {
      throw Fault(
        .cannotCreate, path, "would lie among the files of database \(folder)",
        remedy: "give a place outside it")
    }
    folder = folder[..<end]
  }
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
