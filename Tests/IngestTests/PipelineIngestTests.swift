import Backbone
import Faults
import Formats
import Imaging
import Storage
import TestSupport
import Testing

@testable import Ingest

/// What a run leaves in the database, whatever it did at the same time.
@Suite struct PipelineIngestTests {
  /// A folder of images with 0 to 80 cells, one of them damaged, one a copy.
  private func crowdedWorld(in directory: String) throws -> SmallWorld {
    let world = try SmallWorld(in: directory, imageNames: [])
    for (number, cells) in [1, 0, 80, 2, 3, 0, 7, 1, 1, 1, 40, 5].enumerated() {
      try SmallWorld.writeImage(directory, "\(letter(number))", seed: number, cells: cells)
    }
    try SmallWorld.writeImage(directory, "copy", seed: 6, cells: 7)
    try writeText("not a picture", to: "\(directory)/d_protein.png")
    return world
  }

  private func letter(_ number: Int) -> Character { Character(UnicodeScalar(UInt8(97 + number))) }

  private struct StoredCell: Equatable {
    let image: FieldValue?
    let object: ObjectKey
    let vector: [Float]
  }

  private func cells(_ database: Database) throws -> [StoredCell] {
    try database.read { snapshot in
      let image = snapshot.field(named: "image")?.id ?? 0
      return try snapshot.allRows().toArray().compactMap { row in
        try snapshot.cell(at: row).map {
          StoredCell(
            image: $0.values[image], object: $0.object,
            vector: try snapshot.vector(of: row, in: snapshot.spaces[0]) ?? [])
        }
      }
    }
  }

  @Test(arguments: [1, 2, 3], [1, 5, 1000])
  func cellsAreThoseOfImagesEmbeddedOneByOne(threads: Int, cellsPerCommit: Int) throws {
    try withTemporaryDirectory { directory in
      let world = try crowdedWorld(in: directory)
      let ingest = try world.ingest()
      var expected: [StoredCell] = []
      for image in try world.images() where !["d", "g"].contains(image.name) {
        // "copy" comes before "g", whose pixels it has.
        let query = try embedQueryImage(image, recipe: ingest.recipe, embedder: ingest.embedder, threads: 1)
        expected += query.cells.map { cell in
          StoredCell(
            image: .string(image.name), object: .label(UInt32(cell.index + 1)), vector: cell.vector)
        }
      }
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let summary = try world.run(writer, threads: threads, cellsPerCommit: cellsPerCommit)
      #expect(summary.images == 13 && summary.embedded == 11 && summary.cells == 139)
      #expect(summary.failures.map(\.subject) == ["\(directory)/d_protein.png"])
      #expect(summary.duplicates == [DuplicateImage(name: "g", original: "copy")])
      #expect(try cells(writer.database) == expected)
      try writer.database.read { snapshot in #expect(snapshot.check() == []) }
      let again = try world.run(writer, threads: threads, cellsPerCommit: cellsPerCommit)
      #expect(again.unchanged == 11 && again.embedded == 0 && again.duplicates.count == 1)
    }
  }

  @Test(arguments: [2, 8]) func aStoppedRunHasCommittedAllThatItEmbedded(limit: Int) throws {
    try withTemporaryDirectory { directory in
      let world = try crowdedWorld(in: directory)
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let first = try world.run(writer, cellsPerCommit: 5, stopAfter: limit)
      #expect(first.wasCancelled && first.embedded < 11)
      #expect(try cells(writer.database).count == first.cells)
      let second = try world.run(writer)
      #expect(second.unchanged == first.embedded && second.embedded == 11 - first.embedded)

      let whole = try DatabaseWriter(path: "\(directory)/whole", create: true)
      try world.run(whole)
      #expect(try cells(writer.database) == cells(whole.database))
    }
  }

  @Test func aCommitThatFailsEndsTheRunAndLosesNothingBefore() throws {
    try withTemporaryDirectory { directory in
      let world = try crowdedWorld(in: directory)
      try writeText("image,dose\nk,1\n", to: "\(directory)/table.csv")
      let metadata = try ImageMetadata(
        table: "\(directory)/table.csv", join: nil, namePattern: nil, types: [:], images: world.images(),
        existing: [])
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      // The table has numbers where the database has text by now, which the commit of image k finds.
      try writer.write { _ = try $0.field(named: "dose", type: .string) }
      let fault = #expect(throws: Fault.self) {
        try world.run(writer, metadata: metadata, cellsPerCommit: 4)
      }
      #expect(fault?.subject == "field \"dose\"")
      let kept = try cells(writer.database)
      #expect(!kept.isEmpty && !kept.contains { $0.image == .string("k") })
      try writer.database.read { snapshot in #expect(snapshot.check() == []) }

      let whole = try DatabaseWriter(path: "\(directory)/whole", create: true)
      try world.run(whole)
      #expect(try Array(cells(whole.database).prefix(kept.count)) == kept)
      try world.run(writer)
      #expect(try cells(writer.database) == cells(whole.database))
    }
  }

  @Test func anImageWithoutFiniteVectorsIsNamedAndTheOthersGoOn() throws {
    try withTemporaryDirectory { directory in
      let world = try SmallWorld(in: directory, imageNames: ["a", "b", "c"])
      // Finite pixels, but too large for any arithmetic.
      try writeFloatTIFF(to: "\(directory)/b_protein.png", width: 48, height: 16, value: 3e38)
      let recipe = Recipe(
        source: .masks, segmentationRole: "nucleus",
        crop: CropRecipe(cropSizePx: 16, outputSizePx: 16, normalization: .range),
        strategy: .map(["nucleus", "protein"]), roles: ["protein", "nucleus"])
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let summary = try world.run(writer, recipe: recipe)
      #expect(
        summary.failures.map(\.description) == [
          "b: expected vectors of finite numbers, found NaN or infinity; look for pixels that are no numbers, or far too large"
        ])
      #expect(summary.embedded == 2 && summary.cells == 6)
      let images = try cells(writer.database).map(\.image)
      #expect(images == ["a", "a", "a", "c", "c", "c"].map { .string($0) })
    }
  }

  @Test func theSummaryTellsWhereTheTimeWent() throws {
    try withTemporaryDirectory { directory in
      let world = try crowdedWorld(in: directory)
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let summary = try world.run(writer)
      for time in [
        summary.preparation.readTime, summary.preparation.findTime, summary.preparation.cutTime,
        summary.embedTime, summary.commitTime,
      ] { #expect(time > .zero) }
      let led = summary.embedTime + summary.cropWaitTime + summary.commitWaitTime
      #expect(led <= summary.totalTime)
      #expect(summary.backboneShare == summary.embedTime / summary.totalTime)
      let sizes = try world.images().flatMap { $0.channels.map(\.path) + [$0.mask?.path ?? ""] }
        .map { bytes(ofFile: $0)?.count ?? 0 }
      #expect(summary.preparation.bytesRead == sizes.reduce(0, +))
    }
  }
}

/// Writes an uncompressed float32 TIFF of one value.
private func writeFloatTIFF(to path: String, width: Int, height: Int, value: Float) throws {
  var bytes: [UInt8] = Array("II".utf8)
  func append(_ number: some FixedWidthInteger) {
    withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
  }
  let byteCount = UInt32(4 * width * height)
  append(UInt16(42))
  append(8 + byteCount)
  for _ in 0..<width * height { append(value.bitPattern) }
  // Width, height, bits, compression, photometric, strip offset, samples, rows per strip, strip bytes, format.
  let tags: [(UInt16, UInt32)] = [
    (256, UInt32(width)), (257, UInt32(height)), (258, 32), (259, 1), (262, 1), (273, 8), (277, 1),
    (278, UInt32(height)), (279, byteCount), (339, 3),
  ]
  append(UInt16(tags.count))
  for (tag, value) in tags {
    append(tag)
    append(UInt16(4))
    append(UInt32(1))
    append(value)
  }
  append(UInt32(0))
  var file = try AtomicFile(path: path)
  try file.write(bytes)
  try file.commit()
}
