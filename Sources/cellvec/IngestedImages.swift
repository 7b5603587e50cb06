import Faults
import Formats
import Imaging
import Storage

extension Database {
  /// Refuses files to be written over any image, and over tables of metadata that ingest read; and with
  /// `keepsFolders` any in the folders of images and masks.
  /// - Throws: `usage`.
  func requireImagesKept(by outputs: [String], keepsFolders: Bool = false) throws {
    try requireTablesKept(by: outputs)
    // Whoever writes over a table or an array is not kept waiting while the files of all images are looked up.
    let replaced = outputs.filter(ImageFile.mayBeImage)
    guard keepsFolders || !replaced.isEmpty else { return }
    let (images, masks) = try readRest { snapshot, _ in (try snapshot.imagePaths(), try snapshot.maskPaths())
    }
    let home = "\(path)/.."
    for kept in [
      KeptImages(images, home: home),
      KeptImages(masks, kind: "a mask of an image that is in the database", home: home),
    ] {
      try kept.requireKept(by: replaced)
      if keepsFolders { try kept.requireFoldersKept(by: outputs) }
    }
    // No output of these verbs is an image. One may be of the database and have been moved since.
    if let image = replaced.first {
      throw Fault(
        .usage, image, "is an image, or a file that cannot be read, and would be written over",
        remedy: "give another name")
    }
  }

  private func requireTablesKept(by outputs: [String]) throws {
    let tables = try readRest { snapshot, _ in snapshot.spaces.flatMap { $0.tables ?? [] } }
    for output in outputs {
      guard let table = tables.first(where: { $0.isFile(at: output) }) else { continue }
      throw Fault(
        .usage, output, "would be written over \(table.path), a table that ingest read metadata from",
        remedy: "give another name")
    }
  }
}
