import Faults
import Glibc

/// The files of a folder and of all folders below it, but for the folders of databases.
struct FolderListing {
  /// Paths from the folder, in natural order. Hidden files and folders are left out; links to files are
  /// followed, links to folders are not (they can lead in circles).
  private(set) var files: [String] = []
  /// Folders below that cannot be read, or have names that are not UTF-8.
  private(set) var problems: [Fault] = []
  /// Files whose names are not UTF-8, which no path of ours leads to, and links that lead to nothing: what is wrong with
  /// each, and its path from the folder with U+FFFD for what cannot be read.
  private(set) var unreachable: [(path: String, fault: Fault)] = []

  /// - Throws: `missingInput` or `inputOutput` when the folder itself cannot be read.
  init(of folder: String) throws {
    try visit(folder, prefix: "")
    files.sort(by: precedesNaturally)
    unreachable.sort { precedesNaturally($0.path, $1.path) }
  }

  private mutating func visit(_ folder: String, prefix: String) throws {
    guard let stream = opendir(folder) else { throw Fault.system(folder, "open the folder") }
    defer { closedir(stream) }
    var folders: [String] = []
    while let entry = try Self.nextEntry(of: stream, in: folder) {
      let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      guard let name = String(validating: bytes, as: UTF8.self) else {
        note(bytes, in: folder, prefix: prefix)
        continue
      }
      if name.hasPrefix(".") { continue }
      switch Self.kind(of: "\(folder)/\(name)") {
      case S_IFREG: files.append(prefix + name)
      case S_IFDIR:
        if access("\(folder)/\(name)/data.mdb", F_OK) != 0 { folders.append(name) }
      case S_IFLNK where access("\(folder)/\(name)", F_OK) != 0 && errno == ENOENT:
        let fault = Fault(
          .missingInput, "\(folder)/\(name)", "is a link to a file that does not exist",
          remedy: "make it lead to the file, or remove it")
        unreachable.append((prefix + name, fault))
      default: break
      }
    }
    for name in folders {
      do {
        try visit("\(folder)/\(name)", prefix: "\(prefix)\(name)/")
      } catch let fault as Fault {
        problems.append(fault)
      }
    }
  }

  /// Takes down a file or folder whose name is not UTF-8, unless it is hidden.
  private mutating func note(_ name: [UInt8], in folder: String, prefix: String) {
    if name.first == UInt8(ascii: ".") { return }
    var path = Array("\(folder)/".utf8) + name + [0]
    let kind = path.withUnsafeMutableBytes { Self.kind(of: $0.bindMemory(to: CChar.self).baseAddress) }
    let fault = Fault(
      .badData, "\(folder)/\(escapingBytes(in: name))", "has a name that is not UTF-8, and is passed over",
      remedy: "rename it, as with convmv")
    switch kind {
    case S_IFREG: unreachable.append((prefix + String(decoding: name, as: UTF8.self), fault))
    case S_IFDIR: problems.append(fault)
    default: break
    }
  }

  /// The next entry; nil after the last, which only `errno` tells from an error.
  private static func nextEntry(of stream: OpaquePointer, in folder: String) throws -> UnsafeMutablePointer<
    dirent
  >? {
    errno = 0
    let entry = readdir(stream)
    if entry == nil, errno != 0 { throw Fault.system(folder, "list the folder") }
    return entry
  }

  /// S_IFREG for a file or a link to one, S_IFDIR for a folder, something else for the rest.
  private static func kind(of path: UnsafePointer<CChar>?) -> mode_t {
    guard let path else { return 0 }
    var attributes = stat()
    guard lstat(path, &attributes) == 0 else { return 0 }
    guard attributes.st_mode & S_IFMT == S_IFLNK else { return attributes.st_mode & S_IFMT }
    guard stat(path, &attributes) == 0, attributes.st_mode & S_IFMT == S_IFREG else { return S_IFLNK }
    return S_IFREG
  }

  /// Whether the path leads to a file rather than a folder.
  static func isFile(_ path: String) -> Bool {
    var attributes = stat()
    return stat(path, &attributes) == 0 && attributes.st_mode & S_IFMT == S_IFREG
  }
}
