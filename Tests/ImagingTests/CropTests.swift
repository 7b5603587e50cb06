import Faults
import FoundationEssentials
import Testing

@testable import Imaging

@Suite struct ResamplingTests {
  @Test(arguments: [17, 40, 64])
  func resizingIsThatOfPillow(size: Int) {
    let input = floats(inFixture: "resample-40.f32")
    let expected = floats(inFixture: "resample-40-to-\(size).f32")
    var output = [Float](repeating: 0, count: size * size)
    input.withUnsafeBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        guard let source = input.baseAddress, let target = output.baseAddress else { return }
        Resampling(from: 40, to: size).resize(source, into: target)
      }
    }
    #expect(output.count == expected.count)
    for (found, wanted) in zip(output, expected) { #expect(abs(found - wanted) <= 1e-5 * abs(wanted)) }
    if size == 40 { #expect(output == input) }
  }
}

@Suite struct CropTests {
  /// 8x6 pixels of value 10 y + x, plus 100 in the second channel; object 1 inside, 2 at the border.
  private func image(mask: Bool = true) throws -> FieldImage {
    let rows = (0..<6).map { y in (0..<8).map { x in Float(10 * y + x) } }
    var labels = [[Float]](repeating: [Float](repeating: 0, count: 8), count: 6)
    for y in 2...3 { for x in 3...4 { labels[y][x] = 1 } }
    labels[5][7] = 2
    return try FieldImage(
      name: "A01", roles: ["a", "b"], planes: [plane(rows), plane(rows.map { $0.map { $0 + 100 } })],
      mask: mask ? LabelImage(plane(labels)) : nil)
  }

  private func raw(_ size: Int, output: Int? = nil, zeroBackground: Bool = false) -> CropRecipe {
    CropRecipe(
      cropSizePx: size, outputSizePx: output ?? size, zeroBackground: zeroBackground, normalization: .range)
  }

  private func values(_ batch: CropBatch) -> [Float] { batch.pixels.map { ($0 * 255).rounded() } }

  @Test func aCropOfItsOwnSizeCopiesThePixelsAroundTheCentroid() throws {
    let batch = try crops(of: image(), source: .masks, recipe: raw(2), segmentationRole: "")
    #expect(batch.cells.map(\.key) == [.label(1), .label(2)])
    #expect(batch.pixels.count == 2 * 2 * 4)
    // The centroid 3.5, 2.5 is nearest to pixel 4, 3, which becomes the crop's pixel 1, 1.
    #expect(values(batch)[..<8] == [23, 24, 33, 34, 123, 124, 133, 134])
    #expect(values(batch)[8...] == [46, 47, 56, 57, 146, 147, 156, 157])
  }

  @Test func whatLiesOutsideTheImageIsZero() throws {
    let batch = try crops(of: image(), source: .masks, recipe: raw(4), segmentationRole: "")
    #expect(
      values(batch)[32..<48] == [35, 36, 37, 0, 45, 46, 47, 0, 55, 56, 57, 0, 0, 0, 0, 0])
  }

  @Test func theBackgroundCanBeZeroed() throws {
    let batch = try crops(
      of: image(), source: .masks, recipe: raw(4, zeroBackground: true), segmentationRole: "")
    #expect(values(batch)[..<16] == [0, 0, 0, 0, 0, 23, 24, 0, 0, 33, 34, 0, 0, 0, 0, 0])
  }

  @Test func paddingDoesNotDarkenItsNeighboursWhenResized() throws {
    let flat = plane([[Float]](repeating: [Float](repeating: 51, count: 9), count: 9))
    let labels = try LabelImage(plane((0..<9).map { y in (0..<9).map { x in x < 2 && y < 2 ? 1 : 0 } }))
    let image = try FieldImage(name: "", roles: ["a"], planes: [flat], mask: labels)
    for zeroBackground in [false, true] {
      for output in [5, 21] {
        let recipe = raw(8, output: output, zeroBackground: zeroBackground)
        let batch = try crops(of: image, source: .masks, recipe: recipe, segmentationRole: "")
        #expect(batch.pixels.allSatisfy { $0 == 0 || abs($0 - 0.2) < 1e-6 })
        #expect(batch.pixels.contains { $0 == 0 } && batch.pixels.contains { $0 != 0 })
      }
    }
  }

  @Test func theWholeImageIsASquareAroundItsMiddle() throws {
    let recipe = CropRecipe(cropSizePx: nil, outputSizePx: 8, normalization: .range)
    let batch = try crops(of: image(mask: false), source: .whole, recipe: recipe, segmentationRole: "")
    #expect(batch.cells.count == 1)
    #expect(batch.cells[0].key == .whole)
    let found = values(batch)
    #expect(found[..<8].allSatisfy { $0 == 0 } && found[56..<64].allSatisfy { $0 == 0 })
    #expect(found[8..<16] == [0, 1, 2, 3, 4, 5, 6, 7])
    #expect(found[48..<56] == [50, 51, 52, 53, 54, 55, 56, 57])
  }

  @Test func objectsAreDroppedForAReason() throws {
    var recipe = raw(2)
    recipe.border = .drop
    #expect(
      try crops(of: image(), source: .masks, recipe: recipe, segmentationRole: "").dropped == [
        "touches border": 1
      ])
    recipe.minAreaPx = 2
    #expect(
      try crops(of: image(), source: .masks, recipe: recipe, segmentationRole: "").dropped == ["too small": 1]
    )
    recipe.minAreaPx = 5
    let none = try crops(of: image(), source: .masks, recipe: recipe, segmentationRole: "")
    #expect(none.cells.isEmpty && none.pixels.isEmpty)
  }

  @Test func rangesOfCellsGiveTheSamePixels() throws {
    let plan = try CropPlan(of: image(), source: .masks, recipe: raw(4, output: 6), segmentationRole: "")
    #expect(plan.pixels(of: 0..<1) + plan.pixels(of: 1..<2) == plan.pixels(of: 0..<2))
  }

  @Test(arguments: [2, 4, 6], [false, true])
  func aCutLeavesNothingOfWhatWasThere(output: Int, zeroBackground: Bool) throws {
    let recipe = raw(4, output: output, zeroBackground: zeroBackground)
    let plan = try CropPlan(of: image(), source: .masks, recipe: recipe, segmentationRole: "")
    #expect(plan.cropValueCount == 2 * output * output)
    var memory = [Float](repeating: .nan, count: 2 * plan.cropValueCount)
    memory.withUnsafeMutableBufferPointer { plan.cut(0..<2, into: $0) }
    #expect(memory == plan.pixels(of: 0..<2))
    #expect(memory.allSatisfy { $0.isFinite })
  }

  @Test func aPlanHoldsPixelsOfAllChannelsAndLabels() throws {
    let plan = try CropPlan(of: image(), source: .masks, recipe: raw(4), segmentationRole: "")
    #expect(plan.byteCount == 3 * 8 * 6 * 4)
  }

  @Test func whatTheSourceLacksIsAFault() throws {
    let nuclei = CellSource.nuclei(NucleusSegmentation())
    let noMask = try #require(throws: Fault.self) {
      try crops(of: image(mask: false), source: .masks, recipe: raw(4), segmentationRole: "")
    }
    #expect(noMask.description.hasPrefix("A01: expected a label mask, found none"))
    let noRole = try #require(throws: Fault.self) {
      try crops(of: image(), source: nuclei, recipe: raw(4), segmentationRole: "nucleus")
    }
    #expect(noRole.problem == "expected a channel nucleus to find nuclei in, found a, b")
    for recipe in [
      CropRecipe(cropSizePx: nil, outputSizePx: 4), raw(0), raw(4, output: 0), raw(4, output: 1 << 20),
    ] {
      #expect(throws: Fault.self) {
        try crops(of: image(), source: .masks, recipe: recipe, segmentationRole: "")
      }
    }
  }

  @Test func nucleiAreKnownByTheirBox() throws {
    var pixels = [Float](repeating: 10, count: 40 * 40)
    for y in 10..<22 { for x in 14..<26 { pixels[y * 40 + x] = 200 } }
    let image = try FieldImage(
      name: "", roles: ["dna"], planes: [Plane(width: 40, height: 40, sampleType: .uint8, pixels: pixels)])
    let batch = try crops(
      of: image, source: .nuclei(NucleusSegmentation(diameterPx: 12)), recipe: raw(20),
      segmentationRole: "dna")
    #expect(batch.cells.map(\.key) == [.region])
    let object = try #require(batch.cells.first).object
    #expect(abs(object.x - 14) <= 1 && abs(object.width - 12) <= 2)
  }

  @Test(arguments: [CellSource.whole, .masks, .nuclei(NucleusSegmentation(diameterPx: 20))])
  func recipesAndSourcesSurviveJSON(source: CellSource) throws {
    let json = try JSONEncoder().encode(source)
    #expect(try JSONDecoder().decode(CellSource.self, from: json) == source)
    let recipe = CropRecipe(cropSizePx: nil, outputSizePx: 224, border: .drop, normalization: .percentile)
    #expect(try JSONDecoder().decode(CropRecipe.self, from: JSONEncoder().encode(recipe)) == recipe)
  }
}
