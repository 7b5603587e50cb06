import Faults
import Formats
import Foundation
import Testing

@testable import Backbone

@Suite struct EmbedderTests {
  private let side = 12
  private var plane: Int { side * side }

  @Test func replicateEmbedsEachChannelInAllInputs() throws {
    try withSeededModel(.tiny(inputChannels: 3)) { model in
      let embedder = try Embedder(
        backbone: model, strategy: .replicate(.concat), roles: ["protein", "nucleus"])
      #expect(embedder.dimension == 32)
      let crops = noise(2 * 2 * plane)
      let found = try embedder.embed(crops, count: 2, height: side, width: side, threads: 2)
      let copies = (0..<4).flatMap { channel in
        [[Float]](repeating: Array(crops[channel * plane..<(channel + 1) * plane]), count: 3).flatMap { $0 }
      }
      #expect(try model.embed(copies, count: 4, height: side, width: side) == found)
    }
  }

  @Test func poolingIsPassedOnAndCountsInTheDimension() throws {
    try withSeededModel(.tiny(inputChannels: 1)) { model in
      let embedder = try Embedder(
        backbone: model, strategy: .replicate(.concat), roles: ["protein", "nucleus"], pooling: .classAndMean)
      #expect(embedder.dimension == 64)
      let crops = noise(2 * plane)
      let expected = try model.embed(crops, count: 2, height: side, width: side, pooling: .classAndMean)
      #expect(try embedder.embed(crops, count: 1, height: side, width: side) == expected)
      #expect(throws: Fault.self) {
        try Embedder(backbone: model, strategy: .replicate(.concat), roles: ["protein"], pooling: .attention)
      }
    }
  }

  @Test(arguments: [Rotations.two, .four], [(12, 12), (8, 12)])
  func rotationsAverageTheVectorsOfTurnedCrops(rotations: Rotations, size: (Int, Int)) throws {
    try withSeededModel(.tiny(inputChannels: 2)) { model in
      let embedder = try Embedder(
        backbone: model, strategy: .map(["nucleus", "protein"]), roles: ["nucleus", "protein"],
        rotations: rotations)
      var crop = Crop(height: size.0, width: size.1, values: noise(2 * size.0 * size.1))
      let found = try embedder.embed(crop.values, count: 1, height: crop.height, width: crop.width)
      var sum = [Float](repeating: 0, count: 16)
      for turn in 0..<4 {
        if rotations == .four || turn.isMultiple(of: 2) {
          let vector = try model.embed(crop.values, count: 1, height: crop.height, width: crop.width)
          sum = zip(sum, vector).map(+)
        }
        crop = crop.quarterTurned
      }
      #expect(largestDifference(found, sum.map { $0 / Float(rotations.rawValue) }) < 1e-6)
    }
  }

  @Test func aTurnedCropHasTheSameVectorByFourRotations() throws {
    try withSeededModel(.tiny(inputChannels: 1)) { model in
      let embedder = try Embedder(
        backbone: model, strategy: .replicate(.concat), roles: ["dna"], rotations: .four)
      let crop = Crop(height: side, width: side, values: noise(plane))
      let upright = try embedder.embed(crop.values, count: 1, height: side, width: side)
      let turned = try embedder.embed(crop.quarterTurned.values, count: 1, height: side, width: side)
      #expect(largestDifference(upright, turned) < 1e-6)
    }
  }

  @Test func mapSendsRolesToInputsAndZerosToTheRest() throws {
    try withSeededModel(.tiny(inputChannels: 3)) { model in
      let embedder = try Embedder(
        backbone: model, strategy: .map(["nucleus", nil, "protein"]), roles: ["protein", "dna", "nucleus"])
      #expect(embedder.dimension == 16)
      let crop = noise(3 * plane)
      let input = crop[2 * plane..<3 * plane] + [Float](repeating: 0, count: plane) + crop[..<plane]
      let expected = try model.embed(Array(input), count: 1, height: side, width: side)
      #expect(try embedder.embed(crop, count: 1, height: side, width: side) == expected)
    }
  }

  @Test func aRoleMayFeedSeveralInputs() throws {
    try withSeededModel(.tiny(inputChannels: 2)) { model in
      let crop = noise(plane)
      let map = try Embedder(backbone: model, strategy: .map(["protein", "protein"]), roles: ["protein"])
      let replicate = try Embedder(backbone: model, strategy: .replicate(.concat), roles: ["protein"])
      let vector = try map.embed(crop, count: 1, height: side, width: side)
      #expect(try replicate.embed(crop, count: 1, height: side, width: side) == vector)
    }
  }

  @Test func theDefaultMapFollowsTheNamesOfTheInputs() throws {
    let inputs = ["nucleus", "protein", "microtubules", "er"]
    try withSeededModel(.tiny(inputChannels: 4), inputRoles: inputs) { model in
      let map = try Embedder.defaultMap(backbone: model, roles: ["protein", "nucleus"])
      #expect(map == .map(["nucleus", "protein", nil, nil]))
    }
  }

  @Test func aChannelThatTheModelDoesNotKnowMustBeMapped() throws {
    let inputs = ["nucleus", "protein", "microtubules", "er"]
    try withSeededModel(.tiny(inputChannels: 4), inputRoles: inputs) { model in
      let fault = #expect(throws: Fault.self) {
        try Embedder.defaultMap(backbone: model, roles: ["protein", "dna"])
      }
      #expect(
        fault?.description
          == "model tiny: has 4 inputs (nucleus, protein, microtubules, er); images have protein, dna; "
          + "say what goes where, as in --map protein=1 dna=0, or embed each alone with --strategy replicate")
    }
  }

  @Test func aModelThatDoesNotNameItsInputsMustBeMapped() throws {
    try withSeededModel { model in
      let fault = #expect(throws: Fault.self) {
        try Embedder.defaultMap(backbone: model, roles: ["protein"])
      }
      #expect(fault?.problem == "has 2 inputs of unknown roles; images have protein")
    }
  }

  @Test(
    arguments: [
      (ChannelStrategy.map(["protein"]), "expected 2 roles for 2 inputs of unknown roles, found 1"),
      (.map(["protein", "er"]), "expected roles among protein, nucleus, found er"),
      (.map([nil, nil]), "feeds no input"),
    ])
  func aMapThatDoesNotFitIsAFault(strategy: ChannelStrategy, problem: String) throws {
    try withSeededModel { model in
      let fault = #expect(throws: Fault.self) {
        try Embedder(backbone: model, strategy: strategy, roles: ["protein", "nucleus"])
      }
      #expect(fault?.kind == .usage)
      #expect(fault?.subject == "--map")
      #expect(fault?.problem == problem)
    }
  }

  @Test(arguments: [[], ["protein", "protein"]])
  func channelsMustDiffer(roles: [String]) throws {
    try withSeededModel { model in
      #expect(throws: Fault.self) {
        try Embedder(backbone: model, strategy: .replicate(.concat), roles: roles)
      }
    }
  }
}

/// Planes that are turned as plainly as can be.
private struct Crop {
  var height: Int
  var width: Int
  /// [planes, height, width].
  var values: [Float]

  /// Anticlockwise: what was the last column becomes the first row.
  var quarterTurned: Crop {
    let planes = values.count / (height * width)
    var turned = Crop(height: width, width: height, values: [])
    for plane in 0..<planes {
      for column in (0..<width).reversed() {
        for row in 0..<height { turned.values.append(values[(plane * height + row) * width + column]) }
      }
    }
    return turned
  }
}

@Suite struct ChannelStrategyTests {
  @Test(
    arguments: [
      (ChannelStrategy.replicate(.concat), "\"replicate\""),
      (.map(["nucleus", nil]), "{\"map\":[\"nucleus\",null]}"),
      (.replicate(.mean), "{\"replicate\":\"mean\"}"), (.average, "\"average\""),
      (.map([nil, "er"], absent: .repeat), "{\"absent\":\"repeat\",\"map\":[null,\"er\"]}"),
      (.reindex(["er": 1, "dna": 0]), "{\"reindex\":{\"dna\":0,\"er\":1}}"),
    ])
  func jsonIsPlain(strategy: ChannelStrategy, json: String) throws {
    #expect(try canonicalJSON(strategy) == json)
    #expect(try JSONDecoder().decode(ChannelStrategy.self, from: Data(json.utf8)) == strategy)
  }

  @Test(arguments: [
    "\"concat\"", "{}", "{\"map\":[1]}", "3", "{\"replicate\":\"sum\"}", "{\"reindex\":[0]}",
    "{\"absent\":\"one\",\"map\":[]}",
  ])
  func otherJSONIsRefused(json: String) {
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(ChannelStrategy.self, from: Data(json.utf8))
    }
  }

  @Test(
    arguments: [
      (ChannelStrategy.replicate(.concat), "replicate, concat"), (.replicate(.mean), "replicate, mean"),
      (.map(["nucleus", "protein", nil]), "map nucleus>0 protein>1, absent zero"),
      (.map([nil, "er"], absent: .repeat), "map er>1, absent repeat"), (.map(["er"]), "map er>0"),
      (.average, "average"), (.reindex(["protein": 0, "dna": 1]), "reindex dna>1 protein>0"),
    ])
  func descriptionsSayWhatGoesWhere(strategy: ChannelStrategy, text: String) {
    #expect(strategy.description == text)
  }
}
