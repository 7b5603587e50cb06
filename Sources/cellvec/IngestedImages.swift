import Faults
import Formats
import Imaging
import Storage

extension Database {
  /// Refuses files to be written over any image, and over tables of metadata that ingest read; and with
  /// `keepsFolders` any in the folders of images and masks.
  /// - Throws: `usage`.
  func requireImagesKept(by outputs: [String], keepsFolders: Bool = false) throws {
    // None of these outputs is an image, and any image may be the database's, wherever it was moved.
    if let image = outputs.first(where: ImageFile.mayBeImage) {
      throw Fault(
        .usage, image, "is an image, or a file that cannot be read, and would be written over",
        remedy: "give another name")
    }
    let (tables, folders) = try readRest { snapshot, _ in
      (
        snapshot.spaces.flatMap { $0.tables ?? [] },
        try keepsFolders
          ? [
            ImageFolders(snapshot.imagePaths(), database: path),
            ImageFolders(
              snapshot.maskPaths(), kind: "a mask of an image that is in the database", database: path),
          ] : []
      )
    }
    for output in outputs {
      guard let table = tables.first(where: { $0.isFile(at: output) }) else { continue }
      throw Fault(
        .usage, output, "would be written over \(table.path), a table that ingest read metadata from",
        remedy: "give another name")
    }
    for folders in folders { try folders.requireKept(by: outputs) }
  }
}
