/// Whether pixels are all equal, as a camera's are that saw nothing.
/// - Complexity: ends at the first pixel that differs.
package func areBlank(_ pixels: some Sequence<Float>) -> Bool {
  var pixels = pixels.makeIterator()
  guard let first = pixels.next() else { return true }
  while let pixel = pixels.next() { if pixel != first { return false } }
  return true
}

extension FieldImage {
  /// Roles of the channels that are blank. A normalisation makes nothing of such a channel; when all are, the
  /// vectors of the image mean nothing.
  package var blankRoles: [String] {
    zip(roles, planes).filter { areBlank($0.1.pixels) }.map(\.0)
  }
}
