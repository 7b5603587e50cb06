import Faults
import Formats
import Storage

extension Database {
  /// Refuses files to be written over images that were ingested, and with `keepsFolders` any in their folders.
  /// - Throws: `usage`.
  func requireImagesKept(by outputs: [String], keepsFolders: Bool = false) throws {
    guard keepsFolders || outputs.contains(where: { FileIdentity(path: $0) != nil }) else { return }
    let images = try readRest { snapshot, _ in try snapshot.imagePaths() }
    try requireKept(images: images, by: outputs, keepsFolders: keepsFolders)
  }
}
