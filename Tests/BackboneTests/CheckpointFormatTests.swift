import Faults
import Formats
import TestSupport
import Testing

@testable import Backbone

/// A file as PyTorch saves it, and the family's fixture that has the same weights (tools/fixtures/checkpoints.py).
struct CheckpointFixture: CustomTestStringConvertible {
  let file: String
  let folder: String
  /// Tensors of the training that are not used.
  let ignoredCount: Int

  static let all = [
    CheckpointFixture(file: "training.pth", folder: "channel-adaptive-dino", ignoredCount: 4),
    CheckpointFixture(file: "legacy.pth", folder: "dinov2-swiglu", ignoredCount: 1),
    CheckpointFixture(file: "memory.pth", folder: "huggingface-vit-memory", ignoredCount: 2),
  ]

  var path: String { fixturePath("families/\(file)") }
  var testDescription: String { file }
}

@Suite struct CheckpointFormatTests {
  private func largestDifference(_ model: VisionTransformer, from folder: String) throws -> Float {
    let cases = try SafetensorsFile(path: fixturePath("families/\(folder)/cases.safetensors"))
    let size = try #require(cases.tensorNames.last { $0.hasPrefix("input ") }).dropFirst("input ".count)
    let shape = try #require(cases.shape(of: "input \(size)"))
    let found = try model.embed(
      cases.floats(of: "input \(size)"), count: 1, height: shape[2], width: shape[3])
    return try BackboneTests.largestDifference(found, cases.floats(of: "class \(size)"))
  }

  @Test(arguments: CheckpointFixture.all)
  func weightsThatPyTorchSavedGiveTheSameVectors(fixture: CheckpointFixture) throws {
    let model = try VisionTransformer(path: fixture.path)
    #expect(try largestDifference(model, from: fixture.folder) <= 1e-5)
    #expect(model.ignoredTensors.count == fixture.ignoredCount)
  }

  @Test func theTeacherIsReadUnlessTheStudentIsAskedFor() throws {
    let path = fixturePath("families/training.pth")
    let teacher = try VisionTransformer(path: path)
    let student = try VisionTransformer(path: path, branch: "student")
    #expect(teacher.branch == "teacher" && student.branch == "student")
    #expect(teacher.branches.contains("student"))
    #expect(try largestDifference(student, from: "channel-adaptive-dino") > 0.01)
    #expect(teacher.hash != student.hash)
    let asked = try VisionTransformer(path: path, branch: "teacher")
    #expect(asked.hash == teacher.hash)
    let fault = #expect(throws: Fault.self) { try VisionTransformer(path: path, branch: "studnet") }
    #expect(fault?.description.contains("student") == true)
  }

  @Test func aTeacherBesideItsStudentIsFound() throws {
    let model = try VisionTransformer(path: fixturePath("families/trainer.pth"))
    #expect(try largestDifference(model, from: "cell-dino") <= 1e-5)
  }

  @Test func aReferenceNamesAFileAndABranch() throws {
    try withTemporaryDirectory { folder in
      let plain = WeightsReference("\(folder)/run.pth#student")
      #expect(plain.path == "\(folder)/run.pth" && plain.branch == "student")
      #expect(plain.text(path: "/x") == "/x#student")
      #expect(WeightsReference("run.pth").branch == nil)
      #expect(WeightsReference("run.pth#").branch == nil)
      try write([1], to: "\(folder)/a#1.pth")
      #expect(WeightsReference("\(folder)/a#1.pth").branch == nil)
    }
  }

  @Test func anAddedBranchNeedsItsNameOnly() throws {
    try withTemporaryDirectory { folder in
      let registry = ModelRegistry(folder: folder)
      let reference = WeightsReference(fixturePath("families/training.pth#student"))
      let entry = try registry.add("s", from: reference)
      #expect(entry.branch == "student")
      #expect(try registry.load("s").model.branch == "student")
    }
  }

  @Test(arguments: [
    ("run1/weights.safetensors", "weights"), ("dinov2-small/model.safetensors", "dinov2-small"),
    ("/models/hpa/pytorch_model.bin", "hpa"), ("model.safetensors", "model"),
    ("./model.safetensors", "model"),
  ])
  func aModelIsCalledByItsFileOrFolder(path: String, name: String) {
    #expect(VisionTransformer.name(of: path) == name)
  }
}
