import Faults
import Foundation
import Testing

@testable import Backbone

@Suite struct EmbedderTests {
  private let side = 12
  private var plane: Int { side * side }

  @Test func replicateEmbedsEachChannelInAllInputs() throws {
    try withSeededModel(.tiny(inputChannels: 3)) { model in
      let embedder = try Embedder(backbone: model, strategy: .replicate, roles: ["protein", "nucleus"])
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
        backbone: model, strategy: .replicate, roles: ["protein", "nucleus"], pooling: .classAndMean)
      #expect(embedder.dimension == 64)
      let crops = noise(2 * plane)
      let expected = try model.embed(crops, count: 2, height: side, width: side, pooling: .classAndMean)
      #expect(try embedder.embed(crops, count: 1, height: side, width: side) == expected)
      #expect(throws: Fault.self) {
        try Embedder(backbone: model, strategy: .replicate, roles: ["protein"], pooling: .attention)
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
      let replicate = try Embedder(backbone: model, strategy: .replicate, roles: ["protein"])
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
          + "map them with --map")
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
      #expect(throws: Fault.self) { try Embedder(backbone: model, strategy: .replicate, roles: roles) }
    }
  }
}

@Suite struct ChannelStrategyTests {
  @Test(
    arguments: [
      (ChannelStrategy.replicate, "\"replicate\""),
      (.map(["nucleus", nil]), "{\"map\":[\"nucleus\",null]}"),
    ])
  func jsonIsPlain(strategy: ChannelStrategy, json: String) throws {
    #expect(String(decoding: try JSONEncoder().encode(strategy), as: UTF8.self) == json)
    #expect(try JSONDecoder().decode(ChannelStrategy.self, from: Data(json.utf8)) == strategy)
  }

  @Test(arguments: ["\"concat\"", "{}", "{\"map\":[1]}", "3"])
  func otherJSONIsRefused(json: String) {
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(ChannelStrategy.self, from: Data(json.utf8))
    }
  }
}
