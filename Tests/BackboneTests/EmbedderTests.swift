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
