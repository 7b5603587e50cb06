package import Faults
import Glibc

/// Refuses files to be written that are among those to be read, or among each other, under whatever name.
/// - Throws: `usage`.
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
  }
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
