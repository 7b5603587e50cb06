import Faults
import Formats
import TestSupport
import Testing

@testable import Backbone

/// A seeded model's tensors, to be damaged before they are loaded.
private struct Draft {
  var tensors: [(name: String, shape: [Int], values: [Float])]
  var metadata = ["num_heads": "2"]

  init(_ geometry: ViTGeometry = .tiny(depth: 1)) {
    tensors = geometry.tensors().map { tensor in
      (tensor.name, tensor.shape, [Float](repeating: 0.25, count: tensor.shape.reduce(1, *)))
    }
  }

  mutating func rename(_ change: (String) -> String) {
    for index in tensors.indices { tensors[index].name = change(tensors[index].name) }
  }

  mutating func set(_ name: String, shape: [Int]) {
    tensors.removeAll { $0.name == name }
    tensors.append((name, shape, [Float](repeating: 0, count: shape.reduce(1, *))))
  }

  func load() throws -> ViTCheckpoint {
    let bytes = SafetensorsFile.encode(tensors: tensors, metadata: metadata)
    return try ViTCheckpoint(SafetensorsFile(bytes: bytes, name: "w"))
  }

  /// What the refusal says.
  func fault() throws -> String {
    try #require(#expect(throws: Fault.self) { try ViTWeights(load()) }).description
  }
}

@Suite struct ViTCheckpointTests {
  @Test(
    arguments: ["", "module.", "backbone.", "teacher.", "teacher.backbone.", "teacher.module.backbone."])
  func prefixesOfTrainingAreStripped(prefix: String) throws {
    var draft = Draft()
    draft.rename { prefix + $0 }
    #expect(try draft.load().geometry == .tiny(depth: 1))
  }

  @Test func missingTensorsAreListedByName() throws {
    var draft = Draft()
    draft.tensors.removeAll { $0.name.hasPrefix("norm.") || $0.name == "blocks.0.attn.qkv.bias" }
    let fault = try draft.fault()
    #expect(fault.hasPrefix("w: 3 tensors missing: blocks.0.attn.qkv.bias, norm.weight, norm.bias; "))
  }

  @Test func aLongListIsCutShort() throws {
    var draft = Draft()
    draft.rename { $0.hasPrefix("blocks.0.attn") || $0.hasPrefix("blocks.0.norm") ? "x." + $0 : $0 }
    let fault = try draft.fault()
    #expect(fault.contains("8 tensors missing: blocks.0.norm1.weight, blocks.0.norm1.bias, "))
    #expect(fault.contains(", ...; 8 tensors unexpected: x.blocks.0.attn.proj.bias, "))
  }

  @Test func unexpectedTensorsAreListedByName() throws {
    var draft = Draft()
    draft.set("head.weight", shape: [3])
    #expect(try draft.fault().hasPrefix("w: 1 tensor unexpected: head.weight; "))
  }

  @Test func wrongShapesAreToldWithTheRightOnes() throws {
    var draft = Draft()
    draft.set("blocks.0.mlp.fc2.weight", shape: [24, 16])
    let fault = try draft.fault()
    #expect(fault.contains("blocks.0.mlp.fc2.weight (expected [16, 24], found [24, 16])"))
  }

  @Test func aFileOfSomethingElseIsRefused() throws {
    var draft = Draft()
    draft.tensors = []
    draft.set("fc.weight", shape: [2, 2])
    #expect(
      try draft.fault().hasPrefix(
        "w: expected the tensors of a vision transformer, found fc.weight; use a DINO, DINOv2, DINOv3 or SubCell model "
      ))
  }

  @Test func twoModelsInOneFileAreRefused() throws {
    var draft = Draft()
    draft.set("teacher.norm.bias", shape: [16])
    #expect(try draft.fault().hasPrefix("w: tensors norm.bias and teacher.norm.bias are both norm.bias; "))
  }

  @Test func aGapInTheBlocksIsToldAsMissingAndUnexpected() throws {
    var draft = Draft(.tiny())
    draft.rename { $0.replacingBlock(1, with: 900_000_000) }
    let fault = try draft.fault()
    #expect(fault.contains("12 tensors missing: blocks.1.norm1.weight, "))
    #expect(fault.contains("12 tensors unexpected: blocks.900000000.attn.proj.bias, "))
  }

  @Test(arguments: [Float.nan, .infinity])
  func weightsThatAreNotFiniteAreRefused(value: Float) throws {
    var draft = Draft()
    draft.tensors[draft.tensors.count - 1].values[3] = value
    #expect(try draft.fault().hasPrefix("w: tensor norm.bias: contains NaN or infinity; "))
  }

  @Test(arguments: ["0", "3", "-2", "two", ""])
  func aNumberOfHeadsThatDoesNotDivideTheWidthIsRefused(heads: String) throws {
    var draft = Draft()
    draft.metadata["num_heads"] = heads
    #expect(try draft.fault() == "w: metadata num_heads: expected a divisor of the width 16, found \(heads)")
  }

  @Test func anUnknownNumberOfHeadsIsRefused() throws {
    var draft = Draft()
    draft.metadata = [:]
    let fault = try draft.fault()
    #expect(fault.hasPrefix("w: the number of heads is unknown: the width 16 is no multiple of 64; "))
  }

  @Test(
    arguments: [
      ("pos_embed", [1, 11, 16], "expected a square grid of positions, found 10 positions"),
      ("pos_embed", [1, 1, 16], "expected a square grid of positions, found 0 positions"),
      ("pos_embed", [10, 16], "expected the shape [1, tokens, width], found [10, 16]"),
      (
        "patch_embed.proj.weight", [16, 32],
        "expected the shape [width, inputs, patch, patch], found [16, 32]"
      ),
      ("patch_embed.proj.weight", [16, 0, 4, 4], "found [16, 0, 4, 4]"),
      ("patch_embed.proj.weight", [16, 2, 4, 5], "(expected [16, 2, 5, 5], found [16, 2, 4, 5])"),
      ("register_tokens", [16], "expected the shape [1, registers, width], found [16]"),
      ("register_tokens", [1, 0, 8], "(expected [1, 0, 16], found [1, 0, 8])"),
    ])
  func shapesThatTellNoGeometryAreRefused(name: String, shape: [Int], says: String) throws {
    var draft = Draft()
    draft.set(name, shape: shape)
    #expect(try draft.fault().contains(says))
  }

  @Test(arguments: ["nucleus", "nucleus,nucleus", "nucleus,", "a,b,c"])
  func rolesThatDoNotFitTheInputsAreRefusedWhereTheyAreNeeded(inputs: String) throws {
    try withTemporaryDirectory { folder in
      var draft = Draft()
      draft.metadata["inputs"] = inputs
      let path = folder + "/w.safetensors"
      try write(SafetensorsFile.encode(tensors: draft.tensors, metadata: draft.metadata), to: path)
      let model = try VisionTransformer(path: path)
      #expect(model.inputRoles == nil)
      let fault = #expect(throws: Fault.self) { try model.trainingInput.check(.inputs) }
      #expect(fault?.subject == "\(path): metadata inputs")
      #expect(fault?.problem == "expected 2 different roles, found \"\(inputs)\"")
      let told = try VisionTransformer(path: path, inputRoles: ["a", "b"])
      try told.trainingInput.check(.inputs)
      #expect(told.inputRoles == ["a", "b"])
    }
  }

  /// Loading is total: a damaged file is loaded or refused with a fault.
  @Test func aDamagedModelIsLoadedOrRefused() throws {
    let draft = Draft(.tiny(width: 4, depth: 1, inputChannels: 1))
    let original = SafetensorsFile.encode(tensors: draft.tensors, metadata: draft.metadata)
    var refused = 0
    for seed in 0..<300 {
      var bytes = original
      // Only the header can be damaged in an interesting way.
      for step in 1...3 {
        let place = 8 + (seed &* 7919 &+ step &* 104_729) % 1800
        bytes[place] = UInt8(truncatingIfNeeded: 48 + (seed &* step) % 75)
      }
      do {
        _ = try ViTWeights(ViTCheckpoint(SafetensorsFile(bytes: bytes, name: "damaged")))
      } catch is Fault {
        refused += 1
      }
    }
    #expect(refused > 100)
  }
}

extension String {
  /// "blocks.1.x" as "blocks.NEW.x".
  fileprivate func replacingBlock(_ old: Int, with new: Int) -> String {
    let prefix = "blocks.\(old)."
    return hasPrefix(prefix) ? "blocks.\(new)." + dropFirst(prefix.count) : self
  }
}
