import Faults
import Formats
import TestSupport
import Testing

@testable import Backbone

/// A model of a family, to be damaged before it is loaded.
private struct DamagedModel {
  var tensors: [(name: String, shape: [Int], values: [Float])]
  let fixture: FamilyFixture
  let metadata: [String: String]

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

  func fault() throws -> String {
    let file = try SafetensorsFile(
      bytes: SafetensorsFile.encode(tensors: tensors, metadata: metadata), name: "w")
    let configuration = try fixture.configuration()
    return try #require(
      #expect(throws: Fault.self) { try ViTCheckpoint(file, configuration: configuration) }
    ).description
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

  @Test func headsThatCannotBeRotatedAreRefused() throws {
    let file = try SafetensorsFile(path: FamilyFixture.named("timm-dinov3-bias").path)
    let tensors = try file.tensorNames.map { name in
      (name: name, shape: try #require(file.shape(of: name)), values: try file.floats(of: name))
    }
    let odd = try SafetensorsFile(
      bytes: SafetensorsFile.encode(tensors: tensors, metadata: ["num_heads": "16"]), name: "w")
    let fault = #expect(throws: Fault.self) { try ViTCheckpoint(odd) }
    #expect(
      fault?.problem
        == "expected heads whose width is a multiple of 4, for rotary positions, found a width of 2")
  }

  @Test func theTeacherIsReadWhereAStudentStandsBesideIt() throws {
    let file = try SafetensorsFile(path: FamilyFixture.named("cell-dino").path)
    let teacher = try file.tensorNames.map { name in
      (name: name, shape: try #require(file.shape(of: name)), values: try file.floats(of: name))
    }
    let student = teacher.map { tensor in
      (name: "student" + tensor.name.dropFirst("teacher".count), shape: tensor.shape, values: tensor.values)
    }
    let both = try SafetensorsFile(
      bytes: SafetensorsFile.encode(tensors: teacher + student, metadata: file.metadata), name: "w")
    let checkpoint = try ViTCheckpoint(both)
    #expect(checkpoint.ignored.count == student.count + 4)
    #expect(checkpoint.geometry == (try ViTCheckpoint(file)).geometry)
  }

  @Test func aHeadWithoutClassesIsIgnored() throws {
    let file = try SafetensorsFile(path: FamilyFixture.named("timm-dinov2").path)
    var tensors = try file.tensorNames.map { name in
      (name: name, shape: try #require(file.shape(of: name)), values: try file.floats(of: name))
    }
    tensors.append((name: "head.weight", shape: [0, 32], values: []))
    let headed = try SafetensorsFile(
      bytes: SafetensorsFile.encode(tensors: tensors, metadata: file.metadata), name: "w")
    #expect(try ViTCheckpoint(headed).ignored == ["head.weight"])
  }
}

extension String {
  /// The name of another tensor of the same block.
  fileprivate func replacingEnd(with end: String) -> String {
    (split(separator: ".").dropLast(2) + [Substring(end)]).joined(separator: ".")
  }
}
