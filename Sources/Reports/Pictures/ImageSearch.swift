import Faults
import Formats
import Imaging
import Ingest
import Storage

/// Where the files of images are looked for that a database remembers as they were given: in a folder that they have been
/// moved to, then where those paths lead (`rememberedPlaces`).
struct ImageSearch: Sendable {
  /// Where files have been moved to; nil where they have not.
  let folder: String?
  /// The database's folder.
  let database: String

  /// The image that a record tells of: the first one found whose pixels are those that were ingested.
  /// - Throws: as `readFieldOfView` where no place has its files, and `badData` where all places that have them have
  ///   other pixels; of several faults the first.
  func image(of record: ImageRecord) throws -> FieldImage {
    let given = record.files.map(\.path)
    let found = existing(among: places(of: given))
    var faults: [Fault] = []
    // Where no place has all of the files, the remembered paths tell which is missing.
    for paths in found.isEmpty ? [given] : found {
      do {
        return try image(of: record, at: paths)
      } catch let fault as Fault {
        faults.append(fault)
      }
    }
    let first = faults[0]
    guard first.kind == .missingInput else { throw first }
    throw Fault(
      .missingInput, first.subject, first.problem,
      remedy: folder == nil
        ? "name the folder that has the images now with cellvec report --images"
        : "name another folder with --images, which has its files under the same names")
  }

  /// - Parameter paths: one for each of the record's files.
  private func image(of record: ImageRecord, at paths: [String]) throws -> FieldImage {
    let channels = zip(record.files, paths).map { file, path in
      ChannelSource(role: file.role, path: path, plane: file.plane)
    }
    let image = try readFieldOfView(FieldOfView(name: record.name, channels: channels))
    guard image.identity == record.identity else {
      throw Fault(
        .badData, paths.first ?? record.name, "is no longer the image that was ingested",
        remedy: "put the file back, or ingest the new one")
    }
    return image
  }

  /// Where all files are, each place once, whatever ways lead there.
  private func existing(among places: [[String]]) -> [[String]] {
    var known: [[FileIdentity]] = []
    return places.filter { paths in
      let files = paths.compactMap { FileIdentity(path: $0) }
      guard files.count == paths.count else { return false }
      let isKnown = known.contains { others in
        zip(others, files).allSatisfy { other, file in other.isSameFile(as: file) }
      }
      if !isKnown { known.append(files) }
      return !isKnown
    }
  }

  /// The paths that files may have now, a list for each place, the first to be tried first.
  private func places(of paths: [String]) -> [[String]] {
    var places: [[String]] = []
    if let folder {
      let named = paths.map { names(of: $0) }
      let depth = named.map(\.count).max() ?? 0
      // With all of its folders, then with fewer.
      places += (0..<depth).map { left in
        named.map { names in
          ([folder] + names.dropFirst(min(left, max(names.count - 1, 0)))).joined(separator: "/")
        }
      }
    }
    return places + rememberedPlaces(of: paths, database: database)
  }
}

/// The folders on a path and the file.
private func names(of path: String) -> [String] {
  path.split(separator: "/").filter { $0 != "." && $0 != ".." }.map(String.init)
}
