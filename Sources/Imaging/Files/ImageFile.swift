import Faults
import Glibc

/// Reads the planes of PNG and TIFF files. What a file is, its first bytes say, not its name.
///
/// A file's planes are numbered from 0: page after page, and within a page sample after sample (gray, alpha;
/// or red, green, blue, alpha).
package enum ImageFile {
  /// Whether a path leads to a file that begins as an image does, or whose first bytes cannot be read.
  package static func mayBeImage(_ path: String) -> Bool {
    // Opening what is no regular file, as a pipe, may wait for another process.
    guard FolderListing.isFile(path) else { return false }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return true }
    defer { close(descriptor) }
    switch FileKind(descriptor: descriptor) {
    case .png, .tiff, nil: return true
    case .other: return false
    }
  }

  /// All planes of the file, in order.
  /// - Throws: `missingInput` or `inputOutput` when it cannot be opened, `badData` when it is not an intact
  ///   image of a kind that is read, or holds NaN or infinity.
  package static func planes(at path: String) throws -> [Plane] {
    let reader = try PageReader(path: path)
    var planes: [Plane] = []
    while let page = try reader.nextPage() {
      planes += try reader.readPlanes(Array(0..<page.sampleCount))
    }
    return planes
  }

  /// The plane with this number; the others are not unpacked.
  /// - Throws: as `planes(at:)`, and `badData` when the file has no such plane.
  package static func plane(_ index: Int, at path: String) throws -> Plane {
    let reader = try PageReader(path: path)
    var passed = 0
    while let page = try reader.nextPage() {
      if index >= passed, index < passed + page.sampleCount {
        return try reader.readPlanes([index - passed])[0]
      }
      passed += page.sampleCount
    }
    throw Fault(
      .badData, path, expected: "a plane #\(index)", found: passed == 1 ? "1 plane, #0" : "\(passed) planes",
      remedy: "planes are numbered from #0 to #\(passed - 1)")
  }

  /// The plane that the file is about, and its number.
  ///
  /// A file of one plane is that plane. Gray saved with an alpha channel or as a colour image is told by its
  /// further planes: they are constant, or repeat another one. Every other file of several planes is a fault
  /// that lists them, because only its owner knows which one is meant.
  package static func onlyPlane(at path: String) throws -> (plane: Plane, index: Int) {
    let reader = try PageReader(path: path)
    guard let first = try reader.nextPage() else { throw PageReader.empty(path) }
    let planes = try reader.readPlanes(Array(0..<first.sampleCount))
    var pages = [first]
    while let page = try reader.nextPage() { pages.append(page) }
    if pages.count == 1 {
      let telling = planes.indices.filter { index in
        let pixels = planes[index].pixels
        return pixels.contains { $0 != pixels[0] } && !planes[..<index].contains { $0.pixels == pixels }
      }
      if telling.count <= 1 {
        let index = telling.first ?? 0
        return (planes[index], index)
      }
    }
    let listed = pages.flatMap { page in (0..<page.sampleCount).map { _ in page.description } }
    let list = listed.prefix(8).enumerated().map { "#\($0) \($1)" }.joined(separator: ", ")
    throw Fault(
      .badData, path, expected: "one plane",
      found: "\(listed.count): \(list)\(listed.count > 8 ? ", ..." : "")",
      remedy: "name the plane at the end of the channel's pattern, such as #0")
  }
}
