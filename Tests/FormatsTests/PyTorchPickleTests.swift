import Faults
import Formats
import TestSupport
import Testing

/// Pickles that no writer makes, inside an archive that is sound.
@Suite struct PyTorchPickleTests {
  /// A ZIP archive of stored entries; a wide one has sizes and offsets in extra fields of 64 bits.
  private func archive(_ entries: [(name: String, content: [UInt8])], isWide: Bool = false) -> [UInt8] {
    var file: [UInt8] = []
    var directory: [UInt8] = []
    func number(_ value: Int, _ count: Int) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    for (name, content) in entries {
      let start = file.count
      let sizes = number(content.count, isWide ? 8 : 4) + number(content.count, isWide ? 8 : 4)
      let extra = isWide ? number(1, 2) + number(24, 2) + sizes + number(start, 8) : []
      file += [0x50, 0x4B, 3, 4] + number(0, 22) + number(name.utf8.count, 2) + number(0, 2)
      file += Array(name.utf8) + content
      directory += [0x50, 0x4B, 1, 2] + number(0, 16) + (isWide ? number(-1, 8) : sizes)
      directory += number(name.utf8.count, 2) + number(extra.count, 2) + number(0, 10)
      directory += number(isWide ? -1 : start, 4) + Array(name.utf8) + extra
    }
    let offset = file.count
    file += directory
    file += [0x50, 0x4B, 5, 6] + number(0, 4) + number(entries.count, 2) + number(entries.count, 2)
    return file + number(directory.count, 4) + number(offset, 4) + number(0, 2)
  }

  private func checkpoint(_ pickle: [UInt8]) -> [UInt8] {
    archive([("x/data.pkl", pickle), ("x/data/0", [UInt8](repeating: 0, count: 8))])
  }

  private func read(_ pickle: String) throws -> PyTorchFile {
    try PyTorchFile(bytes: checkpoint(raw(pickle)), name: "w")
  }

  private func text(_ text: String) -> String {
    "X" + String(UnicodeScalar(UInt8(text.utf8.count))) + "\0\0\0" + text
  }

  /// A tensor of F32 over storage "0", which has two of them.
  private func tensor(
    offset: String = "K\0", shape: String = "K\u{2}\u{85}", strides: String = "K\u{1}\u{85}"
  ) -> [UInt8] {
    let head = Array("ctorch._utils\n_rebuild_tensor_v2\n((\(text("storage"))ctorch\nFloatStorage\n".utf8)
    let storage = Array("\(text("0"))\(text("cpu"))K\u{2}tQ".utf8)
    return head + storage + raw(offset) + raw(shape) + raw(strides) + Array("NNtR".utf8)
  }

  /// One byte for each character, which are all below 256.
  private func raw(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value) } }

  private func file(with tensor: [UInt8]) throws -> PyTorchFile {
    let pickle = Array("}\(text("w"))".utf8) + tensor + Array("s.".utf8)
    return try PyTorchFile(bytes: checkpoint(pickle), name: "w")
  }

  @Test func readsWhatTheHelpersMake() throws {
    #expect(try file(with: tensor()).floats(of: "w") == [0, 0])
  }

  @Test func sizesAndOffsetsMayHave64Bits() throws {
    let pickle = raw("}\(text("w"))") + tensor() + raw("s.")
    let bytes = archive(
      [("x/data.pkl", pickle), ("x/data/0", [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0])], isWide: true)
    #expect(try PyTorchFile(bytes: bytes, name: "w").floats(of: "w") == [1, -2])
    for count in 1..<bytes.count {
      #expect(throws: Fault.self) { try PyTorchFile(bytes: Array(bytes[..<count]), name: "w") }
    }
  }

  @Test func nothingBesideTheStorageIsRead() {
    for wrong in [
      tensor(offset: "K\u{1}"), tensor(offset: "J\u{FF}\u{FF}\u{FF}\u{FF}"), tensor(shape: "K\u{3}\u{85}"),
      tensor(strides: "K\u{2}\u{85}"), tensor(strides: "J\u{FF}\u{FF}\u{FF}\u{FF}\u{85}"),
      tensor(shape: "J\u{FF}\u{FF}\u{FF}\u{FF}\u{85}"),
      tensor(
        shape: "\u{8A}\u{8}\u{FF}\u{FF}\u{FF}\u{FF}\u{FF}\u{FF}\u{FF}\u{7F}\u{85}", strides: "K\u{3}\u{85}"),
      tensor(shape: "K\u{2}K\u{1}\u{86}"), tensor(shape: "N"),
    ] {
      let fault = #expect(throws: Fault.self) { try file(with: wrong) }
      #expect(fault?.kind == .badData)
    }
  }

  @Test func anEmptyTensorMayStandAnywhere() throws {
    #expect(try file(with: tensor(offset: "K\u{9}", shape: "K\0\u{85}")).floats(of: "w") == [])
  }

  @Test func aTensorOfImpossibleExtentsIsRefusedThoughItIsEmpty() {
    // [2^62, 2^62, 0]: whoever multiplies these in order would overflow.
    let huge = "\u{8A}\u{8}\0\0\0\0\0\0\0\u{40}"
    #expect(throws: Fault.self) {
      try file(with: tensor(shape: huge + huge + "K\0\u{87}", strides: "K\u{1}K\u{1}K\u{1}\u{87}"))
    }
  }

  @Test(
    arguments: [
      ("", "ends inside an object"), (".", "a value that is not there"), ("}", "ends inside an object"),
      ("X\u{7F}\u{7F}\u{7F}\u{7F}", "ends inside an object"), ("(0.", "a value that is not there"),
      ("}(Nu.", "a key without a value"), ("]Na]h\u{5}.", "recalls a value that it has not kept"),
      ("Na.", "takes a value that is not there"), ("NNa.", "appends to what is not a list"),
      ("]NNs.", "inserts into what is not a dictionary"), ("I1\n.", "found 0x49"), ("t.", "not begun"),
      ("NQ.", "names a storage"), ("ctorch\nSize\nNR.", "without arguments"),
      ("ctorch._utils\n_rebuild_tensor_v2\n)R.", "without storage or shape"),
    ])
  func aPickleThatMakesNoSenseIsAFault(pickle: String, says: String) {
    let fault = #expect(throws: Fault.self) { try read(pickle) }
    #expect(fault?.kind == .badData)
    #expect(fault?.problem.contains(says) == true, "\(fault?.description ?? "none")")
  }

  @Test func depthIsBounded() {
    let nests = [
      String(repeating: "(", count: 100_000), String(repeating: "]", count: 500_000) + ".",
      // A dictionary in a dictionary in ... .
      String(repeating: "}\(text("a"))", count: 10_000) + "N" + String(repeating: "s", count: 10_000) + ".",
      // Lists of one another, joined by marks.
      String(repeating: "](", count: 999) + String(repeating: "e", count: 999) + ".",
    ]
    for nest in nests { #expect(throws: Fault.self) { try read(nest) } }
  }

  @Test func anObjectThatContainsItselfIsRefused() {
    // d["a"] = d, d["b"] = d.
    let fault = #expect(throws: Fault.self) { try read("}q\0\(text("a"))h\0s\(text("b"))h\0s.") }
    #expect(fault?.kind == .badData)
  }

  @Test func anObjectThatRepeatsItselfIsBounded() throws {
    // Each dictionary has the one before twice: 2^30 ways to its tensor.
    var pickle = raw("}q\0\(text("w"))") + tensor() + raw("s0")
    for level in 1...30 {
      let before = String(UnicodeScalar(UInt8(level - 1)))
      let this = String(UnicodeScalar(UInt8(level)))
      pickle += raw("}q\(this)\(text("a"))h\(before)s\(text("b"))h\(before)s0")
    }
    let bytes = checkpoint(pickle + raw("h\u{1E}."))
    let fault = #expect(throws: Fault.self) { try PyTorchFile(bytes: bytes, name: "w") }
    #expect(fault?.kind == .badData)
  }

  @Test func twoTensorsOfOneNameAreRefused() {
    let inner = raw("}\(text("b"))") + tensor() + raw("s")
    let pickle = raw("}\(text("a"))") + inner + raw("s\(text("a.b"))") + tensor() + raw("s.")
    let fault = #expect(throws: Fault.self) { try PyTorchFile(bytes: checkpoint(pickle), name: "w") }
    #expect(fault?.problem == "is in the file twice")
  }

  @Test func anArchiveThatMisleadsIsRefused() {
    let pickle = Array("}\(text("w"))".utf8) + tensor() + Array("s.".utf8)
    let storage = [UInt8](repeating: 0, count: 8)
    let twice = archive([("x/data.pkl", pickle), ("x/data/0", storage), ("x/data/0", storage)])
    let several = archive([("x/data.pkl", pickle), ("y/data.pkl", pickle), ("x/data/0", storage)])
    // The second entry of the directory is made to point at the first one's bytes.
    var shared = archive([("x/0", storage), ("x/1", storage)])
    shared[shared.count - 22 - 7] = 0
    for (bytes, says) in [
      (twice, "is in the archive twice"), (several, "several PyTorch files"), (shared, "does not lie"),
    ] {
      let fault = #expect(throws: Fault.self) { try PyTorchFile(bytes: bytes, name: "w") }
      #expect(fault?.problem.contains(says) == true, "\(fault?.description ?? "none")")
    }
  }
}
