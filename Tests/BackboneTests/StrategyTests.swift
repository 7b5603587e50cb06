import Faults
import Formats
import TestSupport
import Testing

@testable import Backbone

/// Strategies that stand for other patch weights, against models whose patch weights are really other.
@Suite struct StrategyTests {
  private let side = 12
  private var plane: Int { side * side }

  /// Sums of the same products in another order differ by rounding: relative 1e-6 on vectors of up to some 3.
  private let tolerance: Float = 1e-5

  /// Calls `body` with a seeded model of `inputs` inputs, and with the same but for the patch weights: its
  /// inputs are `columns`, each made from the weights [width, patch * patch] of the original inputs.
  private func withModels(
    inputs: Int, columns: ([[Float]]) -> [[Float]],
    _ body: (_ original: VisionTransformer, _ changed: VisionTransformer) throws -> Void
  ) throws {
    try withTemporaryDirectory { folder in
      let geometry = ViTGeometry.tiny(inputChannels: inputs)
      let (path, changedPath) = (folder + "/original.safetensors", folder + "/changed.safetensors")
      try VisionTransformer.writeSeeded(geometry: geometry, seed: 5, to: path)
      let file = try SafetensorsFile(path: path)
      var changedCount = 0
      let tensors = try file.tensorNames.map { name in
        let (shape, values) = (try #require(file.shape(of: name)), try file.floats(of: name))
        guard name == "patch_embed.proj.weight" else { return (name: name, shape: shape, values: values) }
        let (width, area) = (shape[0], shape[2] * shape[3])
        let original = (0..<inputs).map { input -> [Float] in
          var column: [Float] = []
          for row in 0..<width {
            let start = (row * inputs + input) * area
            column += values[start..<start + area]
          }
          return column
        }
        let changed = columns(original)
        changedCount = changed.count
        var joined: [Float] = []
        for row in 0..<width {
          for column in changed { joined += column[row * area..<(row + 1) * area] }
        }
        return (name: name, shape: [width, changed.count, shape[2], shape[3]], values: joined)
      }
      try write(SafetensorsFile.encode(tensors: tensors, metadata: file.metadata), to: changedPath)
      let changed = try VisionTransformer(path: changedPath)
      #expect(changed.geometry.inputChannels == changedCount)
      try body(VisionTransformer(path: path), changed)
    }
  }

  @Test(arguments: [1, 2, 5])
  func averageIsAModelWhoseEveryChannelHasTheMeanPatchWeights(channels: Int) throws {
    let roles = (0..<channels).map { "c\($0)" }
    func mean(_ original: [[Float]]) -> [[Float]] {
      let mean = original[0].indices.map { index in
        original.reduce(0) { $0 + $1[index] } / Float(original.count)
      }
      return Array(repeating: mean, count: channels)
    }
    try withModels(inputs: 3, columns: mean) { original, changed in
      let crops = noise(2 * channels * plane)
      let embedder = try Embedder(backbone: original, strategy: .average, roles: roles)
      #expect(embedder.dimension == 16)
      let found = try embedder.embed(crops, count: 2, height: side, width: side, threads: 2)
      let expected = try changed.embed(crops, count: 2, height: side, width: side)
      #expect(largestDifference(found, expected) <= tolerance)
    }
  }

  @Test(arguments: [[1, 0], [2], [0, 2, 1, 2, 0], [1, 1]])
  func reindexIsAModelWhosePatchWeightsAreThoseOfTheChosenInputs(inputs: [Int]) throws {
    let roles = inputs.indices.map { "c\($0)" }
    func chosen(_ original: [[Float]]) -> [[Float]] { inputs.map { original[$0] } }
    try withModels(inputs: 3, columns: chosen) { original, changed in
      let crops = noise(2 * inputs.count * plane)
      let embedder = try Embedder(
        backbone: original,
        strategy: .reindex(Dictionary(uniqueKeysWithValues: zip(roles, inputs))), roles: roles)
      let found = try embedder.embed(crops, count: 2, height: side, width: side, threads: 2)
      let expected = try changed.embed(crops, count: 2, height: side, width: side)
      #expect(largestDifference(found, expected) <= tolerance)
    }
  }

  @Test func oneChannelForEachInputIsTheSameBitForBitHoweverItIsSaid() throws {
    try withSeededModel(.tiny(inputChannels: 2)) { model in
      let crops = noise(3 * 2 * plane)
      let map = try Embedder(backbone: model, strategy: .map(["b", "a"]), roles: ["a", "b"])
      let reindex = try Embedder(backbone: model, strategy: .reindex(["a": 1, "b": 0]), roles: ["a", "b"])
      let vectors = try map.embed(crops, count: 3, height: side, width: side)
      #expect(try reindex.embed(crops, count: 3, height: side, width: side) == vectors)
    }
  }

  @Test func meansOfPassesAreThoseOfTheJoinedVectors() throws {
    try withSeededModel(.tiny(inputChannels: 3)) { model in
      let crops = noise(2 * 2 * plane)
      let concat = try Embedder(backbone: model, strategy: .replicate(.concat), roles: ["a", "b"])
      let mean = try Embedder(backbone: model, strategy: .replicate(.mean), roles: ["a", "b"])
      #expect(concat.dimension == 32 && mean.dimension == 16)
      let joined = try concat.embed(crops, count: 2, height: side, width: side)
      let expected = (0..<32).map { index -> Float in
        let first = index / 16 * 32 + index % 16
        return (joined[first] + joined[first + 16]) / 2
      }
      #expect(try mean.embed(crops, count: 2, height: side, width: side, threads: 2) == expected)
    }
  }

  @Test func passesArePooledOneByOne() throws {
    try withSeededModel(.tiny(inputChannels: 2)) { model in
      let crop = noise(2 * plane)
      func vector(_ strategy: ChannelStrategy, _ pooling: Pooling) throws -> [Float] {
        try Embedder(backbone: model, strategy: strategy, roles: ["a", "b"], pooling: pooling)
          .embed(crop, count: 1, height: side, width: side)
      }
      let (classes, means) = (
        try vector(.replicate(.concat), .classToken), try vector(.replicate(.concat), .meanOfPatches)
      )
      let both = classes[..<16] + means[..<16] + classes[16...] + means[16...]
      #expect(try vector(.replicate(.concat), .classAndMean) == Array(both))
      let joined = (0..<32).map { (both[$0] + both[$0 + 32]) / 2 }
      #expect(try vector(.replicate(.mean), .classAndMean) == joined)
    }
  }

  @Test func absentInputsCanRepeatTheOthersInOrderOfTheirInputs() throws {
    try withSeededModel(.tiny(inputChannels: 5)) { model in
      let repeated = try Embedder(
        backbone: model, strategy: .map([nil, "b", nil, "a", nil], absent: .repeat), roles: ["a", "b"])
      let spelled = try Embedder(
        backbone: model, strategy: .map(["b", "b", "a", "a", "b"]), roles: ["a", "b"])
      let crop = noise(2 * plane)
      let vector = try spelled.embed(crop, count: 1, height: side, width: side)
      #expect(try repeated.embed(crop, count: 1, height: side, width: side) == vector)
    }
  }

  @Test(arguments: [
    (ChannelStrategy.reindex(["a": 3, "b": 0]), "--map a=3"), (.reindex(["a": -1]), "--map a=-1"),
    (.reindex(["c": 0]), "--map"), (.reindex([:]), "--map"),
  ])
  func anIndexThatDoesNotFitIsAFault(strategy: ChannelStrategy, subject: String) throws {
    try withSeededModel(.tiny(inputChannels: 3)) { model in
      let fault = #expect(throws: Fault.self) {
        try Embedder(backbone: model, strategy: strategy, roles: ["a", "b"])
      }
      #expect(fault?.kind == .usage)
      #expect(fault?.subject == subject)
    }
  }
}

@Suite struct InputScalingTests {
  private let side = 12
  private var plane: Int { side * side }

  /// The channel as input i of an ImageNet model sees it.
  private func scaled(_ channel: some Sequence<Float>, _ input: Int) -> [Float] {
    let (mean, deviation): ([Float], [Float]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    return channel.map { ($0 - mean[input]) / deviation[input] }
  }

  /// (x - mean) / sd and x / sd - mean / sd differ by rounding: relative 1e-6 on vectors of up to some 3.
  private let tolerance: Float = 1e-5

  @Test func everyInputHasItsOwnMeanAndDeviationAndAbsentInputsStayZero() throws {
    try withSeededModel(.tiny(inputChannels: 3)) { model in
      let crop = noise(2 * plane).map { abs($0) / 4 }
      let (a, b) = (crop[..<plane], crop[plane...])
      let zeros = [Float](repeating: 0, count: plane)
      func expect(_ strategy: ChannelStrategy, _ inputs: [[Float]]) throws {
        let embedder = try Embedder(
          backbone: model, strategy: strategy, roles: ["a", "b"], scaling: .imagenet)
        let found = try embedder.embed(crop, count: 1, height: side, width: side)
        let expected = try model.embed(
          inputs.flatMap { $0 }, count: inputs.count / 3, height: side, width: side)
        #expect(largestDifference(found, expected) <= tolerance, "\(strategy)")
      }
      try expect(.map(["b", nil, "a"]), [scaled(b, 0), zeros, scaled(a, 2)])
      try expect(
        .replicate(.concat),
        [scaled(a, 0), scaled(a, 1), scaled(a, 2), scaled(b, 0), scaled(b, 1), scaled(b, 2)])
      let sum = zip(scaled(a, 1), scaled(b, 1)).map { $0 + $1 }
      try expect(.reindex(["a": 1, "b": 1]), [zeros, sum, zeros])
    }
  }

  @Test(arguments: [
    (
      4, ChannelStrategy.replicate(.concat),
      "expected a model of 3 inputs, which are red, green and blue, "
        + "found 4 inputs of unknown roles"
    ),
    (3, .average, "has values for each input, but strategy average uses no input's own weights"),
  ])
  func whatHasNoValuesOfImageNetIsAFault(inputs: Int, strategy: ChannelStrategy, problem: String) throws {
    try withSeededModel(.tiny(inputChannels: inputs)) { model in
      let fault = #expect(throws: Fault.self) {
        try Embedder(backbone: model, strategy: strategy, roles: ["a"], scaling: .imagenet)
      }
      #expect(fault?.kind == .usage)
      #expect(fault?.problem == problem)
    }
  }
}
