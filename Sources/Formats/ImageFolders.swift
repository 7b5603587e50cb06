package import Faults

/// Folders of images, or of their masks, that no output may be written into.
///
/// A relative path was given in a folder that is not known any more: it stands for what it leads to
/// (`rememberedPlaces`), and for whatever has a path that ends in it.
package struct ImageFolders {
  private let paths: [String]
  private let database: String
  private let kind: String

  /// - Parameters:
  ///   - paths: of images, as they were given. One that leads to no file any more is nobody's.
  ///   - kind: what faults call one of them.
  ///   - database: the folder of the database that remembers them.
  package init(_ paths: [String], kind: String = "an image that is in the database", database: String) {
    self.paths = paths
    self.database = database
    self.kind = kind
  }

  /// Refuses files to be written into the folders, or into folders in these: figures would be taken for images by whoever
  /// reads the folder again.
  /// - Throws: `usage`.
  package func requireKept(by outputs: [String]) throws(Fault) {
    let outputs = outputs.map { (path: $0, folders: enclosingFolders(of: $0)) }
    var passed: Set<Substring> = []
    for path in paths {
      let (folder, name) = split(path)
      if passed.contains(folder) { continue }
      let places = rememberedPlaces(of: [path], database: database).joined()
        .filter { FileIdentity(path: $0) != nil }
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
}

/// Where files may lie that a database remembers by the paths that were given, a list for each place, the first to be tried
/// first: relative paths lead from the folder that is worked in, from the database's own and from the one that it lies in.
/// - Parameter database: the database's folder.
package func rememberedPlaces(of paths: [String], database: String) -> [[String]] {
  if paths.allSatisfy({ $0.hasPrefix("/") }) { return [paths] }
  let homes = [database, "\(database)/.."]
  return [paths] + homes.map { home in paths.map { $0.hasPrefix("/") ? $0 : "\(home)/\($0)" } }
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
