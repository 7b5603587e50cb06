import Faults
import Formats
import TestSupport
import Testing

@testable import Backbone

/// A model of a family, to be damaged before it is loaded.
private struct DamagedModel {
  var tensors: [(name: String, shape: [Int], values: [Float])]
  let fixture: FamilyFixture
  var metadata: [String: String]

  init(_ fixture: FamilyFixture) throws {
    let file = try SafetensorsFile(path: fixture.path)
    self.fixture = fixture
    metadata = file.metadata
    tensors = try file.tensorNames.map { name in
      (name, try #require(file.shape(of: name)), try file.floats(of: name))
    }
  }

  /// A tensor of the last block that every family has, by the end of its name.
  func indexInLastBlock() throws -> Int {
    let ends = ["norm1.weight", "layernorm_before.weight"]
    return try #require(
      tensors.lastIndex { tensor in ends.contains { tensor.name.hasSuffix($0) } && tensor.name.contains(".1.")
      })
  }

  func load() throws -> ViTCheckpoint {
    let bytes = SafetensorsFile.encode(tensors: tensors, metadata: metadata)
    return try ViTCheckpoint(
      openTensorFile(bytes: bytes, name: "w"), configuration: fixture.configuration())
  }

  func fault() throws -> String {
    try #require(#expect(throws: Fault.self) { try load() }).description
  }
}

@Suite struct FamilyStrictnessTests {
  @Test(arguments: FamilyFixture.all)
  func aMissingTensorIsNamedAsTheFamilySpellsIt(fixture: FamilyFixture) throws {
    var model = try DamagedModel(fixture)
    let missing = model.tensors.remove(at: try model.indexInLastBlock()).name
    let fault = try model.fault()
    #expect(fault.hasPrefix("w: 1 tensor missing: "))
    // Prefixes of a training or a task model, and chunks, are not told.
    let told = fault.dropFirst("w: 1 tensor missing: ".count).prefix { $0 != ";" }
    #expect(missing.hasSuffix(told.split(separator: ".").suffix(2).joined(separator: ".")))
  }

  @Test(arguments: FamilyFixture.all)
  func anUnexpectedTensorIsNamed(fixture: FamilyFixture) throws {
    var model = try DamagedModel(fixture)
    let name = model.tensors[try model.indexInLastBlock()].name.replacingEnd(with: "norm3.weight")
    model.tensors.append((name, [2], [0, 0]))
    #expect(try model.fault().hasPrefix("w: 1 tensor unexpected: \(name); "))
  }

  @Test(arguments: FamilyFixture.all)
  func aMisshapenTensorIsNamedWithBothShapes(fixture: FamilyFixture) throws {
    var model = try DamagedModel(fixture)
    let index = try model.indexInLastBlock()
    model.tensors[index].shape = [31]
    model.tensors[index].values.removeLast()
    let name = model.tensors[index].name
    #expect(
      try model.fault().hasPrefix("w: 1 tensor of the wrong shape: \(name) (expected [32], found [31]); "))
  }

  @Test(arguments: ["blocks.1.attn.qkv.bias_mask", "rope_embed.periods", "storage_tokens"])
  func whatOnlyDINOv3HasIsHeldToItsShape(name: String) throws {
    var model = try DamagedModel(.named("dinov3"))
    let index = try #require(model.tensors.firstIndex { $0.name == name })
    model.tensors[index].shape = [5]
    model.tensors[index].values = [1, 1, 1, 1, 1]
    #expect(try model.fault().contains(name))
  }

  @Test func aPeriodOfNothingIsRefused() throws {
    var model = try DamagedModel(.named("dinov3"))
    let index = try #require(model.tensors.firstIndex { $0.name == "rope_embed.periods" })
    model.tensors[index].values[2] = 0
    let checkpoint = try model.load()
    let fault = #expect(throws: Fault.self) { try ViTWeights(checkpoint) }
    #expect(fault?.description == "w: tensor rope_embed.periods: expected positive periods, found 0.0")
  }

  @Test func aBiasThatOneBlockLacksIsMissing() throws {
    var model = try DamagedModel(.named("timm-dinov3-bias"))
    model.tensors.removeAll { $0.name == "blocks.1.attn.v_bias" }
    #expect(try model.fault().hasPrefix("w: 1 tensor missing: blocks.1.attn.v_bias; "))
  }

  @Test func aPoolWithoutItsScoresIsRefused() throws {
    var model = try DamagedModel(.named("subcell"))
    model.tensors.removeAll { $0.name == "pool_model.attention.weight" }
    #expect(try model.fault().hasPrefix("w: 1 tensor missing: pool_model.attention.weight; "))
  }

  @Test func gatesOfSubCellMayStandWithoutTheirDropout() throws {
    var model = try DamagedModel(.named("subcell"))
    let original = try model.load()
    for gate in ["attention_v", "attention_u"] {
      for index in model.tensors.indices where model.tensors[index].name.contains("\(gate).1.") {
        let kind = model.tensors[index].name.split(separator: ".").last ?? ""
        model.tensors[index].name = "pool_model.\(gate).0.\(kind)"
      }
    }
    #expect(try model.load().geometry == original.geometry)
    #expect(try model.load().floats("pool.v.weight") == original.floats("pool.v.weight"))
  }

  @Test func headsThatCannotBeRotatedAreRefused() throws {
    var model = try DamagedModel(.named("timm-dinov3-bias"))
    model.metadata["num_heads"] = "16"
    #expect(
      try model.fault()
        == "w: expected heads whose width is a multiple of 4, for rotary positions, found a width of 2")
  }

  @Test func headsOfRotaryModelsFollowFromTheirPeriods() throws {
    var model = try DamagedModel(.named("dinov3"))
    model.metadata = [:]
    #expect(try model.load().geometry.heads == 2)
  }

  @Test func theTeacherIsReadWhereAStudentStandsBesideIt() throws {
    var model = try DamagedModel(.named("cell-dino"))
    let teacher = try model.load()
    model.tensors += model.tensors.map { tensor in
      ("student" + tensor.name.dropFirst("teacher".count), tensor.shape, tensor.values)
    }
    let both = try model.load()
    #expect(both.ignored == teacher.ignored)
    #expect(both.geometry == teacher.geometry)
  }

  @Test(arguments: ["_orig_mod.", "module.model.", "teacher.backbone.", "backbone._fsdp_wrapped_module."])
  func wrappersAreTakenOff(prefix: String) throws {
    var model = try DamagedModel(.named("huggingface-dinov3-memory"))
    for index in model.tensors.indices {
      let name = model.tensors[index].name.split(separator: ".norm1.")
      model.tensors[index].name = prefix + name.joined(separator: "._checkpoint_wrapped_module.norm1.")
    }
    let original = try VisionTransformer(path: model.fixture.path)
    #expect(try model.load().geometry == original.geometry)
  }

  @Test func aWrapperDoesNotChangeWhoseModelItIs() throws {
    var model = try DamagedModel(.named("timm-dinov2"))
    for index in model.tensors.indices { model.tensors[index].name = "module." + model.tensors[index].name }
    #expect(try model.load().source == .timm)
  }

  /// Loading is total: a damaged file is loaded or refused with a fault.
  @Test(arguments: FamilyFixture.all)
  func aDamagedModelIsLoadedOrRefused(fixture: FamilyFixture) throws {
    let original = try #require(bytes(ofFile: fixture.path))
    let headerLength = Int(original[0]) + 256 * Int(original[1])
    let configuration = try fixture.configuration()
    var refused = 0
    for seed in 0..<20 {
      var damaged = original
      for step in 1...3 {
        let place = 8 + (seed &* 7919 &+ step &* 104_729) % headerLength
        damaged[place] = UInt8(truncatingIfNeeded: 48 + (seed &* step) % 75)
      }
      do {
        let file = try SafetensorsFile(bytes: damaged, name: "damaged")
        _ = try ViTWeights(ViTCheckpoint(file, configuration: configuration))
      } catch is Fault {
        refused += 1
      }
    }
    #expect(refused > 5)
  }

  @Test func aHeadWithoutClassesIsIgnored() throws {
    var model = try DamagedModel(.named("timm-dinov2"))
    model.tensors.append(("head.weight", [0, 32], []))
    #expect(try model.load().ignored == ["head.weight"])
  }
}

extension String {
  /// The name of another tensor of the same block.
  fileprivate func replacingEnd(with end: String) -> String {
    (split(separator: ".").dropLast(2) + [Substring(end)]).joined(separator: ".")
  }
}
