import Faults
import Formats
import Imaging
import Storage

extension Database {
  /// Refuses files to be written over images that were ingested, and with `keepsFolders` any in their folders.
  /// - Throws: `usage`.
  func requireImagesKept(by outputs: [String], keepsFolders: Bool = false) throws {
    // Whoever writes over a table or an array is not kept waiting while the files of all images are looked up.
    let replaced = outputs.filter(ImageFile.mayBeImage)
    guard keepsFolders || !replaced.isEmpty else { return }
    let images = KeptImages(try readRest { snapshot, _ in try snapshot.imagePaths() }, home: "\(path)/..")
    try images.requireKept(by: replaced)
    if keepsFolders { try images.requireFoldersKept(by: outputs) }
  }
}
