import Faults
import Testing

@testable import Formats

@Suite struct TensorBranchesTests {
  /// A safetensors file of scalars, each its own number.
  private func bytes(_ names: [String]) -> [UInt8] {
    SafetensorsFile.encode(tensors: names.enumerated().map { ($1, [1], [Float($0)]) })
  }

  private let names = ["dino_loss.center", "module.student.norm", "student.norm", "teacher.norm"]

  @Test func theOtherModelsOfAFileAreHidden() throws {
    let usual = try openTensorFile(bytes: bytes(names), name: "w")
    #expect(usual.tensorNames == ["dino_loss.center", "teacher.norm"])
    #expect(
      usual.branches == TensorBranches(chosen: "teacher", usual: "teacher", all: ["teacher", "student"]))
    let student = try openTensorFile(bytes: bytes(names), name: "w", branch: "student")
    #expect(student.tensorNames == ["dino_loss.center", "module.student.norm", "student.norm"])
    #expect(student.branches.unusual == "student")
    #expect(try student.floats(of: "student.norm") == [2])
    #expect(student.files.map(\.path) == ["w"])
    #expect(student.files[0].bytes.withUnsafeBytes { Array($0) } == bytes(names))
  }

  @Test func aFileOfOneModelHasNoBranches() throws {
    let file = try openTensorFile(bytes: bytes(["norm", "teachers.norm", "x.teacher.norm"]), name: "w")
    #expect(file is SafetensorsFile && file.branches == .none)
    let alone = try openTensorFile(bytes: bytes(["student.norm"]), name: "w")
    #expect(alone.branches.chosen == "student" && alone.branches.unusual == nil)
  }

  /// A key that is not the usual one stays what it is called, also where it leads to a teacher: its hash must not
  /// be that of the usual teacher.
  @Test func theTeacherUnderAnotherKeyIsNotTheUsualOne() throws {
    let file = try SafetensorsFile(bytes: bytes(names), name: "w")
    let outer = TensorBranches(chosen: "best", usual: "model", all: ["model", "best"])
    let part = try #require(try NamedBranch(file, "best", of: outer))
    #expect(part.tensorNames == ["dino_loss.center", "teacher.norm"])
    #expect(part.branches.unusual == "best")
    #expect(part.branches.all == ["teacher", "student", "model", "best"])
  }
}
