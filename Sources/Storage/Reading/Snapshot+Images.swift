import Faults

extension Snapshot {
  /// The paths of the files that images were read from, as they were given; no imported arrays. Of images whose records
  /// are damaged there are none.
  package func imagePaths() throws -> [String] {
    var paths: [String] = []
    try transaction.survey(
      .images, damage: { _, _ in },
      entry: { key, value in
        guard key.count == 4 else { return }
        do {
          let image = try transaction.decodeImage(value, key.bigEndian(at: 0, as: UInt32.self))
          if image.width > 0 { paths += image.files.map(\.path) }
        } catch let fault as Fault where fault.kind == .badData { return }
      })
    return paths
  }

  /// The paths of the masks that cells came from, as they were given, in order. Of outcomes whose records are damaged there are
  /// none.
  package func maskPaths() throws -> [String] {
    var paths: Set<String> = []
    try transaction.survey(
      .outcomes, damage: { _, _ in },
      entry: { _, value in
        do {
          let outcome = try Document.decode(IngestOutcome.self, from: value, of: "an outcome")
          if let path = outcome.maskPath { paths.insert(path) }
        } catch let fault as Fault where fault.kind == .badData { return }
      })
    return paths.sorted()
  }

  /// Calls `body` with each image, in order of their numbers.
  package func forEachImage(_ body: (_ number: UInt32, _ image: ImageRecord) throws -> Void) throws {
    try transaction.forEach(.images) { key, value in
      guard key.count == 4 else {
        throw Fault(.badData, "table \"images\"", "is damaged", remedy: "run cellvec check")
      }
      let number = key.bigEndian(at: 0, as: UInt32.self)
      try body(number, try transaction.decodeImage(value, number))
    }
  }
}
