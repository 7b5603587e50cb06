import Faults
import TestSupport
import Testing

@testable import Formats

@Suite struct PyTorchFileTests {
  private func path(_ name: String) -> String { fixturePath("formats/pytorch/\(name)") }

  /// The floating-point tensors have the names, shapes and bits that torch wrote into the safetensors file.
  private func expectTensors(of file: any TensorFile, equalTo expected: String) throws {
    let torch = try SafetensorsFile(path: path("\(expected).safetensors"))
    for name in torch.tensorNames {
      #expect(file.shape(of: name) == torch.shape(of: name), "\(name)")
      let values = try file.floats(of: name)
      #expect(values.map(\.bitPattern) == (try torch.floats(of: name).map(\.bitPattern)), "\(name)")
    }
    let floating = file.tensorNames.filter { (try? file.floats(of: $0)) != nil }
    #expect(floating == torch.tensorNames)
  }

  @Test(arguments: [
    "state-dict", "legacy", "protocol4", "protocol5-legacy", "python-zip", "training", "training-legacy",
    "views", "views-legacy", "types", "nested", "parameters", "malicious", "default-dict",
  ])
  func readsTheTensorsThatTorchSees(name: String) throws {
    try expectTensors(of: openTensorFile(path: path("\(name).pth")), equalTo: name)
  }

  @Test func readsTheBranchThatIsAskedFor() throws {
    for name in ["training", "training-legacy"] {
      let file = try openTensorFile(path: path("\(name).pth"), branch: "student")
      try expectTensors(of: file, equalTo: "training-student")
      #expect(file.branches.unusual == "student")
    }
  }

  @Test func listsTheBranchesAndTheFactsBesideThem() throws {
    let file = try PyTorchFile(path: path("training.pth"))
    let keys = ["student", "teacher", "optimizer", "dino_loss"]
    #expect(file.branches == TensorBranches(chosen: "teacher", usual: "teacher", all: keys))
    #expect(file.branches.unusual == nil)
    #expect(file.metadata == ["epoch": "100"])
    let nested = try PyTorchFile(path: path("nested.pth"))
    #expect(nested.branches == TensorBranches(chosen: "model", usual: "model", all: ["model"]))
    #expect(nested.metadata == ["num_heads": "6"])
    let plain = try PyTorchFile(path: path("state-dict.pth"))
    #expect(plain.branches == .none)
    #expect(plain.metadata.isEmpty)
  }

  @Test func anUnknownBranchIsToldWithThoseThereAre() throws {
    let fault = #expect(throws: Fault.self) {
      try openTensorFile(path: path("training.pth"), branch: "techer")
    }
    #expect(fault?.kind == .missingInput)
    #expect(fault?.remedy.contains("did you mean \"teacher\"?") == true)
    let none = #expect(throws: Fault.self) {
      try openTensorFile(path: path("state-dict.pth"), branch: "teacher")
    }
    #expect(none?.problem == "does not exist: all tensors stand at the top of the file")
    let other = #expect(throws: Fault.self) {
      try openTensorFile(path: path("state-dict.safetensors"), branch: "teacher")
    }
    #expect(other?.kind == .usage)
  }

  @Test func integersAreListedButNotReadAsFloats() throws {
    let file = try PyTorchFile(path: path("types.pth"))
    for (name, type) in [
      ("i64", "int64"), ("i32", "int32"), ("i16", "int16"), ("i8", "int8"), ("u8", "uint8"), ("flag", "bool"),
      ("c64", "complex64"), ("u16", "uint16"), ("f8", "float8_e4m3fn"),
    ] {
      #expect(file.tensorNames.contains(name))
      let fault = #expect(throws: Fault.self) { try file.floats(of: name) }
      #expect(fault?.subject.hasSuffix("types.pth: tensor \(name)") == true)
      #expect(fault?.problem.hasSuffix("found \(type)") == true)
    }
    #expect(try PyTorchFile(path: path("state-dict.pth")).shape(of: "1.num_batches_tracked") == [])
    #expect(throws: Fault.self) { try file.floats(of: "absent") }
  }

  @Test(
    arguments: [
      ("tensor.pth", "expected a dictionary of tensors, found a single tensor"),
      ("module.pth", "found a Python object of class torch.nn.modules.linear.Linear"),
      ("no-tensors.pth", "expected a dictionary of tensors, found one without any"),
      ("bomb.pth", "more values than the file has bytes"),
      ("torchscript.pth", "found a TorchScript program"),
      ("deflated.pth", "is compressed"),
      ("big-endian.pth", "expected little, found big"),
      ("no-storage.pth", "its values are not in the file"),
      ("pickle.pth", "found another Python pickle"),
      ("numpy.npz", "found a NumPy archive (.npz)"),
    ])
  func whatIsNoCheckpointIsToldForWhatItIs(name: String, says: String) throws {
    let fault = #expect(throws: Fault.self) { try openTensorFile(path: path(name)) }
    #expect(fault?.kind == .badData)
    #expect(fault?.subject.hasPrefix(path(name)) == true)
    #expect(fault?.problem.contains(says) == true, "\(fault?.description ?? "none")")
    #expect(fault?.remedy.isEmpty == false)
  }

  @Test(arguments: [
    ("GGUF\u{3}\0\0\0\0\0\0\0", "a GGUF file"), ("\u{89}HDF\r\n\u{1A}\n", "an HDF5 file"),
    ("\u{8}\u{8}\u{12}\u{7}pytorch", "an ONNX model"), ("<!DOCTYPE html>", "a web page"),
    (String(repeating: "\0", count: 257) + "ustar", "a tar archive"), ("", "an empty file"),
    ("{}", "a JSON file"), ("ab", "a file of 2 bytes"), ("Dear colleague,", "something else"),
  ])
  func otherFormatsAreNamed(start: String, format: String) {
    let bytes = start.unicodeScalars.map { UInt8($0.value) }
    let fault = #expect(throws: Fault.self) { try openTensorFile(bytes: bytes, name: "w") }
    #expect(fault?.problem.contains("found \(format)") == true, "\(fault?.description ?? "none")")
    #expect(fault?.remedy.isEmpty == false)
  }

  @Test func aSafetensorsFileIsKnownWhateverItsLengthLooksLike() throws {
    // Headers whose length begins as a pickle, a ZIP archive and an ONNX model do.
    for length in [0x280, 0x4B50, 0x1208] {
      let header = Array("{}".utf8) + [UInt8](repeating: 0x20, count: length - 2)
      let bytes = [UInt8(length & 255), UInt8(length >> 8), 0, 0, 0, 0, 0, 0] + header
      #expect(try openTensorFile(bytes: bytes, name: "w") is SafetensorsFile)
    }
  }
}
