import Faults
import Formats
import Imaging
import Ingest
import Storage

/// Where the files of images are looked for that a database remembers as they were given: a relative path from the folder
/// that is worked in, then from the database's own and from the one that it lies in.
struct ImageSearch: Sendable {
  /// Where files have been moved to; nil where they have not.
  let folder: String?
  /// The database's folder.
  let database: String

  /// The image that a record tells of, whose pixels are those that were ingested.
  /// - Throws: as `readFieldOfView` where no place has its files, and `badData` where they have changed since.
  func image(of record: ImageRecord) throws -> FieldImage {
    let found = try places(of: record.files).first { place in
      record.files.allSatisfy { FileIdentity(path: place($0.path)) != nil }
    }
    let channels = record.files.map {
      ChannelSource(role: $0.role, path: found?($0.path) ?? $0.path, plane: $0.plane)
    }
    let image: FieldImage
    do {
      image = try readFieldOfView(FieldOfView(name: record.name, channels: channels))
    } catch let fault as Fault where fault.kind == .missingInput {
      throw Fault(
        .missingInput, fault.subject, fault.problem,
        remedy: folder == nil
          ? "name the folder that has the images now with --images"
          : "name another folder with --images, which has its files under the same names")
    }
    guard image.identity == record.identity else {
      throw Fault(
        .badData, channels.first?.path ?? record.name, "is no longer the image that was ingested",
        remedy: "put the file back, or ingest the new one")
    }
    return image
  }

  /// Ways from a remembered path to one that may lead to the file, the first to be tried first.
  private func places(of files: [ChannelFile]) throws -> [(String) -> String] {
    var places: [(String) -> String] = []
    if let folder {
      let depth = files.map { names(of: $0.path).count }.max() ?? 0
      // With all of its folders, then with fewer.
      places += (0..<depth).map { left in
        { path in
          ([folder] + names(of: path).dropFirst(min(left, names(of: path).count - 1))).joined(separator: "/")
        }
      }
    }
    places.append { $0 }
    for home in [database, "\(database)/.."] {
      places.append { $0.hasPrefix("/") ? $0 : "\(home)/\($0)" }
    }
    return places
  }
}

/// The folders on a path and the file.
private func names(of path: String) -> [String] {
  path.split(separator: "/").filter { $0 != "." && $0 != ".." }.map(String.init)
}
