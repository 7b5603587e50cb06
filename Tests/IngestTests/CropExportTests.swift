import Faults
import Formats
import Imaging
import Ingest
import TestSupport
import Testing

@Suite struct CropExportTests {
  private func export(of world: SmallWorld, crop: CropRecipe, metadata: ImageMetadata? = nil) throws
    -> CropExport
  {
    CropExport(
      images: try world.images(), roles: ["protein", "nucleus"], source: .masks, crop: crop,
      segmentationRole: "nucleus", metadata: metadata)
  }

  @Test func cropsAreThoseThatIngestEmbeds() throws {
    try withTemporaryDirectory { directory in
      let world = try SmallWorld(in: directory, imageNames: ["a", "b"])
      let crop = CropRecipe(cropSizePx: 16, outputSizePx: 8)
      let summary = try export(of: world, crop: crop).write(
        crops: "\(directory)/crops.npy", table: "\(directory)/cells.csv", threads: 2, progress: { _ in })
      #expect(summary.cells == 6 && summary.failures.isEmpty)

      let expected = try world.images().flatMap { image in
        let plan = try CropPlan(
          of: readFieldOfView(image), source: .masks, recipe: crop, segmentationRole: "nucleus")
        return plan.pixels(of: plan.cells.indices)
      }
      // The reader takes vectors: rows of all channels' pixels.
      let file = try #require(bytes(ofFile: "\(directory)/crops.npy"))
      #expect(file.count == 128 + 6 * 2 * 8 * 8 * 4)
      #expect(String(decoding: file[..<128], as: UTF8.self).contains("(6, 2, 8, 8)"))
      #expect(file[128...].elementsEqual(expected.withUnsafeBytes { Array($0) }))
      let table = try CSVTable(path: "\(directory)/cells.csv")
      #expect(table.columns == ["image", "object", "center_x", "center_y", "area_px"])
      #expect(table.rows[1] == ["a", "2", "23.5", "7.5", "64"])
    }
  }

  @Test func anImageThatCannotBeReadIsPassedOver() throws {
    try withTemporaryDirectory { directory in
      let world = try SmallWorld(in: directory, imageNames: ["a", "b"])
      try writePNG("\(directory)/a_nucleus.png", width: 2, height: 2, pixels: [1, 2, 3, 4])
      let summary = try export(of: world, crop: CropRecipe(cropSizePx: 16, outputSizePx: 16)).write(
        crops: "\(directory)/crops.npy", table: nil, threads: 1, progress: { _ in })
      #expect(summary.cells == 3)
      #expect(summary.failures.map(\.kind) == [.badData])
    }
  }
}
