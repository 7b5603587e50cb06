import Faults
import Formats
import Foundation
import Identity
import TestSupport
import Testing

@testable import Backbone

/// Tiny models as `torch.save` and trainings leave them (tools/fixtures/families/checkpoints.py).
@Suite struct CheckpointTests {
  /// A file, with the cases that hold its embeddings.
  struct Checkpoint: Sendable, CustomTestStringConvertible {
    let file: String
    let cases: String
    let family: String
    var hasStudent = false

    var testDescription: String { file }
    var path: String { fixturePath("checkpoints/\(file)") }
  }

  static let all: [Checkpoint] = [
    .init(file: "dino.pth", cases: "dino", family: "DINO"),
    .init(file: "dino-legacy.pth", cases: "dino", family: "DINO"),
    .init(
      file: "dino4cells.pth", cases: "dino4cells", family: "DINO, 4 inputs, as DINO4Cells", hasStudent: true),
    .init(file: "dinov2-training.pth", cases: "dinov2-training", family: "DINOv2", hasStudent: true),
    .init(file: "dinov2-training.safetensors", cases: "dinov2-training", family: "DINOv2", hasStudent: true),
    .init(file: "huggingface-dinov2.pth", cases: "huggingface-dinov2", family: "DINOv2 (Hugging Face)"),
  ]

  /// The largest difference is 2.8e-6 (the student of dinov2-training), on embeddings of unit scale.
  private static let bound: Float = 1e-5

  private func expectEmbeddings(of model: VisionTransformer, _ kind: String, in cases: String) throws {
    let file = try SafetensorsFile(path: fixturePath("checkpoints/\(cases).cases.safetensors"))
    let images = try file.floats(of: "input 12x20")
    let found = try model.embed(images, count: 1, height: 12, width: 20)
    #expect(largestDifference(found, try file.floats(of: "\(kind) 12x20")) <= Self.bound)
  }

  @Test(arguments: all)
  func embeddingsEqualThoseOfTheReference(checkpoint: Checkpoint) throws {
    let model = try VisionTransformer(path: checkpoint.path)
    #expect(model.familyName == checkpoint.family)
    #expect(model.format == (checkpoint.file.hasSuffix(".pth") ? .pyTorch : .safetensors))
    try expectEmbeddings(of: model, "class", in: checkpoint.cases)
  }

  @Test(arguments: all.filter(\.hasStudent))
  func theStudentIsAnotherBackboneInTheSameFile(checkpoint: Checkpoint) throws {
    let teacher = try VisionTransformer(path: checkpoint.path)
    #expect(teacher.branches.chosen == "teacher" && teacher.branches.unusual == nil)
    let student = try VisionTransformer(path: checkpoint.path, branch: "student")
    #expect(student.branches.unusual == "student" && student.branches.usual == "teacher")
    try expectEmbeddings(of: student, "student", in: checkpoint.cases)
    #expect(student.hash != teacher.hash)
    #expect(student.geometry == teacher.geometry)
    #expect(try VisionTransformer(path: checkpoint.path, branch: "teacher").hash == teacher.hash)
  }

  @Test func aBranchAboveTheTeacherLeadsToTheTeacher() throws {
    let path = fixturePath("checkpoints/dinov2-training.pth")
    let teacher = try VisionTransformer(path: path)
    #expect(teacher.branches.all == ["teacher", "student", "model", "optimizer"])
    #expect(try VisionTransformer(path: path, branch: "model").hash == teacher.hash)
  }

  @Test func aBranchThatIsNotThereIsToldWithThoseThereAre() throws {
    for file in ["dino4cells.pth", "dinov2-training.pth", "dinov2-training.safetensors"] {
      let fault = #expect(throws: Fault.self) {
        try VisionTransformer(path: fixturePath("checkpoints/\(file)"), branch: "studnet")
      }
      #expect(fault?.kind == .missingInput)
      #expect(fault?.subject.hasSuffix("\(file): branch \"studnet\"") == true)
      #expect(fault?.remedy.hasPrefix("did you mean \"student\"? branches: ") == true)
    }
    let other = #expect(throws: Fault.self) {
      try VisionTransformer(path: fixturePath("checkpoints/dino4cells.pth"), branch: "optimizer")
    }
    #expect(other?.kind == .badData)
    #expect(
      other?.remedy.hasSuffix("or another branch of this file with --branch: student, teacher, dino_loss")
        == true)
  }

  @Test func aRegisteredModelKeepsItsBranch() throws {
    try withTemporaryDirectory { folder in
      let registry = ModelRegistry(folder: folder)
      let path = fixturePath("checkpoints/dino4cells.pth")
      let entry = try registry.add("a", path: path, branch: "student")
      #expect(entry.branch == "student")
      #expect(
        try registry.load("a").model.hash == VisionTransformer(path: path, branch: "student").hash)
      #expect(try registry.add("b", path: path, branch: "teacher").branch == nil)
      let fault = #expect(throws: Fault.self) { try registry.load("a", branch: "teacher") }
      #expect(fault?.kind == .usage)
    }
  }
}

/// A model over several files (tools/fixtures/families/checkpoints.py).
@Suite struct ShardedCheckpointTests {
  @Test(
    arguments: [
      "shards/model.safetensors.index.json", "shards/model-00002-of-00002.safetensors",
      "shards-pytorch/pytorch_model.bin.index.json", "shards-pytorch/pytorch_model-00001-of-00002.bin",
    ])
  func embeddingsEqualThoseOfTheReference(file: String) throws {
    let model = try VisionTransformer(path: fixturePath("checkpoints/\(file)"))
    #expect(model.familyName == "DINOv2 (Hugging Face)" && model.geometry.heads == 2)
    #expect(model.name == (file.hasPrefix("shards-") ? "shards-pytorch" : "shards"))
    let cases = try SafetensorsFile(path: fixturePath("checkpoints/shards.cases.safetensors"))
    let found = try model.embed(cases.floats(of: "input 12x20"), count: 1, height: 12, width: 20)
    #expect(largestDifference(found, try cases.floats(of: "class 12x20")) <= 1e-5)
  }

  @Test func theNameIsThatOfAllFilesInTheirOrder() throws {
    let folder = fixturePath("checkpoints/shards")
    let all = try ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"].flatMap {
      try #require(bytes(ofFile: "\(folder)/\($0)"))
    }
    // The configuration says the usual epsilon, and the number of heads, which no width tells.
    let hash = all.withUnsafeBytes { ContentHash(of: $0) }
    #expect(
      try VisionTransformer(path: "\(folder)/model.safetensors.index.json").hash
        == ContentHash(of: "\(hash) num_attention_heads 2"))
  }

  @Test(arguments: ["shards/model-00001-of-00002.safetensors", "shards-pytorch/pytorch_model.bin.index.json"])
  func anAddedModelHasAllItsFiles(file: String) throws {
    try withTemporaryDirectory { folder in
      let path = fixturePath("checkpoints/\(file)")
      let registry = ModelRegistry(folder: folder)
      let entry = try registry.add("a", path: path)
      let copy = try registry.load("a").model
      #expect(copy.name == "a")
      #expect(try copy.hash == VisionTransformer(path: path).hash)
      #expect(entry.byteCount == (file.hasPrefix("shards-") ? 19_080 : 7_672))
    }
  }

  @Test func aMissingFileIsToldByItsOwnName() throws {
    try withTemporaryDirectory { folder in
      let shards = fixturePath("checkpoints/shards")
      for name in ["model.safetensors.index.json", "model-00001-of-00002.safetensors"] {
        try write(try #require(bytes(ofFile: "\(shards)/\(name)")), to: "\(folder)/\(name)")
      }
      let fault = #expect(throws: Fault.self) {
        try ModelRegistry(folder: folder + "/registry").add(
          "a", path: folder + "/model-00001-of-00002.safetensors")
      }
      #expect(fault?.kind == .missingInput)
      #expect(fault?.subject == folder + "/model-00002-of-00002.safetensors")
    }
  }
}

@Suite struct ModelNameTests {
  @Test(
    arguments: [
      ("a/dino.pth", "dino"), ("/x/w.v2.safetensors", "w.v2"), (".hidden", ".hidden"),
      ("none/model.bin", "model"),
    ])
  func aFileLendsItsName(path: String, name: String) {
    #expect(ModelName.of(weights: path) == name)
  }

  @Test(arguments: ["model.safetensors", "pytorch_model.bin", "checkpoint.pth"])
  func aFileOfAnyModelIsCalledAsItsFolder(file: String) throws {
    try withTemporaryDirectory { folder in
      for inner in ["dinov2-small", "models--facebook--dinov2-small/snapshots/0a1b"] {
        try FileManager.default.createDirectory(
          atPath: "\(folder)/\(inner)", withIntermediateDirectories: true)
        #expect(ModelName.of(weights: "\(folder)/\(inner)/./\(file)") == "dinov2-small")
      }
    }
  }

  @Test(
    arguments: [
      ("a/dinov2-00002-of-00003.safetensors", "dinov2"), ("dinov2.safetensors.index.json", "dinov2"),
      ("none/model.safetensors.index.json", "model"),
    ])
  func severalFilesLendOneName(path: String, name: String) {
    #expect(ModelName.of(weights: path) == name)
  }

  @Test func theOnlyOneOfOneFileIsRead() throws {
    try withTemporaryDirectory { folder in
      let path = folder + "/model-00001-of-00001.safetensors"
      try VisionTransformer.writeSeeded(geometry: .tiny(), seed: 1, to: path)
      #expect(try VisionTransformer(path: path).geometry == .tiny())
    }
  }
}
