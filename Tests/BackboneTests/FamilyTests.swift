import Faults
import Formats
import TestSupport
import Testing

@testable import Backbone

@Suite struct FamilyTests {
  /// The largest difference is 2.7e-6 (huggingface-dinov2-registers, 8x13), on embeddings of unit scale.
  private static let bound: Float = 1e-5

  @Test(arguments: FamilyFixture.all)
  func embeddingsEqualThoseOfTheReference(fixture: FamilyFixture) throws {
    let model = try VisionTransformer(path: fixture.path)
    let cases = try fixture.cases()
    let sizes = cases.tensorNames.filter { $0.hasPrefix("input ") }.map { $0.dropFirst("input ".count) }
    #expect(sizes.count == 4)
    for size in sizes {
      let shape = try #require(cases.shape(of: "input \(size)"))
      let images = try cases.floats(of: "input \(size)")
      for pooling in model.poolings where pooling != .classAndMean {
        let found = try model.embed(
          images, count: 1, height: shape[2], width: shape[3], threads: 2, pooling: pooling)
        let expected = try cases.floats(of: "\(pooling.rawValue) \(size)")
        let difference = largestDifference(found, expected)
        #expect(difference <= Self.bound, "\(pooling.rawValue) \(size)")
      }
    }
  }

  @Test(arguments: FamilyFixture.all)
  func whatTheModelIsFollowsFromItsTensors(fixture: FamilyFixture) throws {
    let model = try VisionTransformer(path: fixture.path)
    #expect(model.familyName == fixture.family)
    let pooling =
      fixture.folder == "subcell" ? ViTGeometry.AttentionPooling(heads: 2, hiddenWidth: 24) : nil
    #expect(
      model.geometry
        == ViTGeometry(
          width: 32, depth: 2, heads: 2, patchSize: 4, inputChannels: fixture.inputs,
          gridSize: fixture.isRotary ? nil : 4, mlpWidth: model.geometry.mlpWidth, mlp: fixture.mlp,
          attentionBias: fixture.bias, hasLayerScale: model.geometry.hasLayerScale,
          registerCount: fixture.registers, classHasPosition: fixture.folder != "timm-dinov2-registers",
          epsilon: fixture.epsilon, attentionPooling: pooling))
    #expect(model.ignoredTensors.count == fixture.ignoredCount)
    #expect(
      try ViTCheckpoint(SafetensorsFile(path: fixture.path), configuration: fixture.configuration())
        .resampling == fixture.resampling)
  }

  @Test(arguments: FamilyFixture.all)
  func parametersAreTheNumbersOfTheTensorsThatAreUsed(fixture: FamilyFixture) throws {
    let model = try VisionTransformer(path: fixture.path)
    let file = try SafetensorsFile(path: fixture.path)
    // DINOv3's authors store biases of keys, and a mask that takes them away.
    let unlearned = [".bias_mask", ".periods"]
    let isMasked = file.tensorNames.contains { $0.hasSuffix(".bias_mask") }
    let used = file.tensorNames.filter { name in
      !model.ignoredTensors.contains(name) && !unlearned.contains { name.hasSuffix($0) }
    }
    let stored = try used.map { try #require(file.shape(of: $0)).reduce(1, *) }.reduce(0, +)
    #expect(model.geometry.parameterCount == stored - (isMasked ? 2 * 32 : 0))
  }

  @Test func onlyModelsWithTheWeightsPoolByAttention() throws {
    let subCell = try VisionTransformer(path: FamilyFixture.named("subcell").path)
    #expect(subCell.defaultPooling == .attention)
    #expect(subCell.dimension(for: .attention) == 64)
    let other = try VisionTransformer(path: FamilyFixture.named("subcell-encoder").path)
    #expect(other.defaultPooling == .classToken)
    let fault = #expect(throws: Fault.self) {
      try other.embed(noise(2 * 256), count: 1, height: 16, width: 16, pooling: .attention)
    }
    #expect(
      fault?.description
        == "--pooling: expected class, mean, class-mean for model subcell-encoder, found attention")
  }

  @Test func classTokenAndMeanAreJoinedInThatOrder() throws {
    try withSeededModel { model in
      let images = noise(2 * 2 * 144)
      func vectors(_ pooling: Pooling) throws -> [Float] {
        try model.embed(images, count: 2, height: 12, width: 12, pooling: pooling)
      }
      let (tokens, means) = (try vectors(.classToken), try vectors(.meanOfPatches))
      let expected = tokens[..<16] + means[..<16] + tokens[16...] + means[16...]
      // The last block works on one token in one case and on all of them in the other.
      #expect(largestDifference(try vectors(.classAndMean), Array(expected)) < 1e-5)
      #expect(model.dimension(for: .classAndMean) == 32)
    }
  }

  @Test func normalizationIsKnownWhereTheFamilyTellsIt() throws {
    func normalization(_ folder: String) throws -> InputNormalization? {
      try VisionTransformer(path: FamilyFixture.named(folder).path).expectedNormalization
    }
    #expect(try normalization("dinov2-swiglu") == .imageNet)
    #expect(try normalization("cell-dino") == .eachChannel)
    #expect(try normalization("subcell") == .minMax)
    #expect(try normalization("huggingface-vit") == nil)
    let ofTimm = InputNormalization.fixed(mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5])
    #expect(try normalization("timm-dino") == ofTimm)
  }

  @Test func rotaryModelsHaveACustomaryImageSize() throws {
    func size(_ folder: String) throws -> Int {
      try VisionTransformer(path: FamilyFixture.named(folder).path).defaultImageSizePx
    }
    #expect(try size("dinov3") == 224)
    #expect(try size("timm-dinov3") == 256)
    #expect(try size("timm-dinov3-bias") == 256)
    #expect(try size("huggingface-dinov3") == 16)
    #expect(try size("cell-dino") == 16)
  }
}
