package import Faults
import Glibc

/// Images, or their masks, that no output may take the place of.
///
/// A relative path was given in a folder that is not known any more: it stands for what it leads to from here and from
/// `home`, and for whatever has a path that ends in it.
package struct KeptImages {
  private let paths: [String]
  private let home: String
  private let kind: String

  /// - Parameters:
  ///   - paths: as they were given. One that leads to no file any more is nobody's.
  ///   - kind: what faults call one of them.
  ///   - home: a folder that relative paths may have been given in.
  package init(_ paths: [String], kind: String = "an image that is in the database", home: String) {
    self.paths = paths
    self.kind = kind
    self.home = home
  }

  /// Refuses files to be written over the images.
  /// - Throws: `usage`.
  package func requireKept(by outputs: [String]) throws(Fault) {
    let replaced = outputs.compactMap { ReplacedFile($0) }
    if replaced.isEmpty { return }
    for path in paths {
      let files = places(of: path).compactMap { FileIdentity(path: $0) }
      let ending = ending(of: path)
      let output = replaced.first { output in
        files.contains(where: output.file.isSameFile) || output.fullPaths.contains { ends($0, in: ending) }
      }
      guard let output else { continue }
      throw Fault(
        .usage, output.path, "would be written over \(path), \(kind)",
        remedy: "give another name")
    }
  }

  /// Refuses files to be written into the folders of the images, or into folders in these: figures would be taken for images
  /// by whoever reads the folder again.
  /// - Throws: `usage`.
  package func requireFoldersKept(by outputs: [String]) throws(Fault) {
    let outputs = outputs.map { (path: $0, folders: enclosingFolders(of: $0)) }
    var passed: Set<Substring> = []
    for path in paths {
      let (folder, name) = split(path)
      if passed.contains(folder) { continue }
      let places = places(of: path).filter { FileIdentity(path: $0) != nil }
      if !places.isEmpty { passed.insert(folder) }
      let kept = places.compactMap { resolvedFolder(String(split($0).folder)) }
      let ending = ending(of: path)?.dropLast()
      for output in outputs {
        let folder = output.folders.first { folder in
          kept.contains(folder)
            || ends(names(in: folder), in: ending) && FileIdentity(path: "\(folder)/\(name)") != nil
        }
        guard let folder else { continue }
        throw Fault(
          .usage, output.path, "would be written into \(folder), which has \(kind)",
          remedy: "give a place outside it")
      }
    }
  }

  private func places(of path: String) -> [String] {
    path.hasPrefix("/") ? [path] : [path, "\(home)/\(path)"]
  }
}

/// A file that is there and would be written over.
private struct ReplacedFile {
  let path: String
  let file: FileIdentity
  /// The names from the root to it, as it was given and without links.
  let fullPaths: [[Substring]]

  /// - Returns: nil where there is none.
  init?(_ path: String) {
    guard let file = FileIdentity(path: path), let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    self.path = path
    self.file = file
    let given = path.hasPrefix("/") ? path : "\(resolvedFolder(".") ?? "")/\(path)"
    fullPaths = [names(in: given), names(in: String(cString: resolved))]
  }
}

private func names(in path: String) -> [Substring] { path.split(separator: "/").filter { $0 != "." } }

private func split(_ path: String) -> (folder: Substring, name: Substring) {
  guard let end = path.lastIndex(of: "/") else { return (".", path[...]) }
  return (path[...end], path[path.index(after: end)...])
}

/// The names that the path of a relative path's file ends in, whatever folder it was given in: those after the last "..". nil
/// where the path is absolute.
private func ending(of path: String) -> ArraySlice<Substring>? {
  path.hasPrefix("/") ? nil : names(in: path).split(separator: "..", omittingEmptySubsequences: false).last
}

private func ends(_ path: [Substring], in ending: ArraySlice<Substring>?) -> Bool {
  guard let ending else { return false }
  return path.suffix(ending.count).elementsEqual(ending)
}
