import Identity
import TestSupport
import Testing

@testable import Storage

@Suite struct SourcePathTests {
  @Test func pathsOfImagesAndMasksAreThoseOfTheirRecords() throws {
    try withTemporaryDirectory { folder in
      let writer = try DatabaseWriter(path: "\(folder)/db", create: true)
      let names = ["plate/a.png", "b \"\\\u{1}µ🧫.tif", "path\":\"x"]
      try writer.write { transaction in
        let space = try transaction.addSpace(name: "s", dimension: 2)
        for (number, name) in names.enumerated() {
          let files = [
            ChannelFile(role: "path", path: name, plane: number),
            ChannelFile(role: "er", path: "er/\(name)", plane: 0),
          ]
          let image = try transaction.addImage(
            ImageRecord(identity: ContentHash(of: name), name: name, files: files, width: 7, height: 7))
          try transaction.setOutcome(
            IngestOutcome(found: 0, kept: 0, dropped: ["maskPath": 1], mask: "0", maskPath: "m/\(name)"),
            image: image, space: space)
        }
        let vectors = [ChannelFile(role: "vectors", path: "v.npy", plane: 0)]
        let array = try transaction.addImage(
          ImageRecord(identity: ContentHash(of: "v"), name: "v", files: vectors, width: 0, height: 0))
        try transaction.setOutcome(
          IngestOutcome(found: 1, kept: 1, dropped: [:]), image: array, space: space)
      }
      try writer.database.read { snapshot in
        try #expect(snapshot.imagePaths() == names.flatMap { [$0, "er/\($0)"] })
        try #expect(snapshot.maskPaths() == names.map { "m/\($0)" }.sorted())
      }
    }
  }
}
