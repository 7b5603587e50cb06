import Faults
import FoundationEssentials
import TestSupport
import Testing

@testable import Imaging

@Suite struct NormalizationTests {
  private func normalized(
    _ rule: Normalization, _ pixels: [Float], valid: [Bool]? = nil, _ sampleType: SampleType = .uint8
  ) -> [Float] {
    let line = pixels.withUnsafeBufferPointer { pixels in
      guard let valid else { return rule.lines(through: [pixels], valid: nil, sampleTypes: [sampleType])[0] }
      return valid.withUnsafeBufferPointer {
        rule.lines(through: [pixels], valid: $0, sampleTypes: [sampleType])[0]
      }
    }
    var normalized = pixels
    normalized.withUnsafeMutableBufferPointer { line.apply(to: $0) }
    for index in pixels.indices where valid?[index] == false { normalized[index] = 0 }
    return normalized
  }

  @Test func eachRuleDoesWhatItSays() {
    // Mean 4, population SD 2.
    let pixels: [Float] = [2, 2, 6, 6]
    #expect(normalized(.selfStandardize, pixels) == [-1, -1, 1, 1])
    #expect(normalized(.minmax, pixels) == [0, 0, 1, 1])
    #expect(normalized(.range, [0, 51, 255], .uint8) == [0, 0.2, 1])
    #expect(normalized(.range, [65535], .uint16) == [1])
    #expect(normalized(.range, [-3.5], .float32) == [-3.5])
  }

  @Test func percentilesInterpolateAndClip() {
    // numpy.percentile(range(1001), [0.1, 99.9]) is [1, 999].
    let found = normalized(.percentile, (0...1000).map(Float.init))
    #expect(found[0] == 0 && found[1] == 0 && found[999] == 1 && found[1000] == 1)
    #expect(abs(found[500] - 0.5) < 1e-6)
  }

  @Test func quantilesAreThoseOfTheSortedValues() {
    var numbers = TestNumbers(seed: 2)
    for count in 1...60 {
      let values = (0..<count).map { _ in Float(numbers.next(below: 20)) }
      let sorted = values.sorted()
      for fraction in [0, 0.001, 0.25, 0.5, 0.999, 1] {
        let position = fraction * Double(count - 1)
        let below = Double(sorted[Int(position)])
        let above = Double(sorted[min(count - 1, Int(position) + 1)])
        var reordered = values
        let expected = below + (above - below) * (position - position.rounded(.down))
        #expect(abs(Double(quantile(fraction, of: &reordered)) - expected) < 1e-5)
        #expect(reordered.sorted() == sorted)
      }
    }
  }

  @Test(arguments: Normalization.allCases)
  func pixelsThatAreNotValidCountForNothingAndAreZero(rule: Normalization) {
    let valid = [true, false, true, true, false]
    let found = normalized(rule, [2, 1e6, 4, 9, -1e6], valid: valid)
    let alone = normalized(rule, [2, 4, 9])
    #expect(found == [alone[0], 0, alone[1], alone[2], 0])
  }

  @Test(arguments: Normalization.allCases.filter(\.usesStatistics))
  func aConstantChannelIsZero(rule: Normalization) {
    #expect(normalized(rule, [Float](repeating: 0.1, count: 777)).allSatisfy { $0 == 0 })
    #expect(normalized(rule, [3, 4], valid: [false, false]) == [0, 0])
    #expect(
      normalized(rule, [.leastNonzeroMagnitude, 0, 0], valid: nil, .float32).allSatisfy { $0.isFinite })
  }
}

/// Crops against NumPy, whole: see tools/fixtures/normalization.py.
@Suite struct NormalizedCropTests {
  private struct Fixture: Decodable {
    struct Case: Decodable {
      let rule: Normalization
      let scope: NormalizationScope
      let pixels: [Float]
    }

    let height: Int
    let width: Int
    let side: Int
    let channels: [[Float]]
    let mask: [Float]
    let cases: [Case]
  }

  private func fixture() throws -> (Fixture, FieldImage) {
    let data = try #require(bytes(ofFile: fixturePath("imaging/normalization.json")))
    let fixture = try JSONDecoder().decode(Fixture.self, from: Data(data))
    func plane(_ pixels: [Float]) -> Plane {
      Plane(width: fixture.width, height: fixture.height, sampleType: .uint16, pixels: pixels)
    }
    let image = try FieldImage(
      name: "", roles: ["a", "b"], planes: fixture.channels.map(plane), mask: LabelImage(plane(fixture.mask)))
    return (fixture, image)
  }

  @Test func everyRuleAndScopeIsThatOfNumPy() throws {
    let (fixture, image) = try fixture()
    // To the crop, `fixed` is `imagenet`: its numbers are the embedder's.
    for rule in Normalization.allCases where rule != .fixed {
      for scope in rule.usesStatistics ? NormalizationScope.allCases : [.crop] {
        let wanted = try #require(fixture.cases.first { $0.rule == rule && $0.scope == scope })
        let recipe = CropRecipe(
          cropSizePx: fixture.side, outputSizePx: fixture.side, zeroBackground: true, normalization: rule,
          normalizationScope: scope)
        let found = try crops(of: image, source: .masks, recipe: recipe, segmentationRole: "").pixels
        #expect(found.count == wanted.pixels.count)
        // Single precision, and seven digits in the fixture.
        for (a, b) in zip(found, wanted.pixels) {
          #expect(abs(a - b) <= 2e-6 * max(1, abs(b)), "\(rule) over \(scope)")
        }
      }
    }
  }

  @Test(arguments: [Normalization.range, .imagenet, .fixed], [NormalizationScope.square, .image])
  func aRuleWithoutStatisticsHasNoScope(rule: Normalization, scope: NormalizationScope) throws {
    let (_, image) = try fixture()
    let recipe = CropRecipe(
      cropSizePx: 8, outputSizePx: 8, normalization: rule, normalizationScope: scope)
    let fault = #expect(throws: Fault.self) {
      try crops(of: image, source: .masks, recipe: recipe, segmentationRole: "")
    }
    #expect(fault?.subject == "--normalize-over \(scope.rawValue)")
  }

  @Test func theScopeIsInTheTextOfARecipeOnlyWhereItIsNotTheCrop() throws {
    var recipe = CropRecipe(cropSizePx: 8, outputSizePx: 8)
    func text() throws -> String { String(decoding: try JSONEncoder().encode(recipe), as: UTF8.self) }
    #expect(try !text().contains("Scope"))
    recipe.normalizationScope = .image
    #expect(try text().contains("\"normalizationScope\":\"image\""))
    #expect(try JSONDecoder().decode(CropRecipe.self, from: Data(text().utf8)) == recipe)
  }
}
