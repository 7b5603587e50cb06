import Faults
import Formats
import Glibc
import TestSupport
import Testing

@Suite struct SafetensorsFileTests {
  @Test func readsWhatPythonWrote() throws {
    let file = try SafetensorsFile(path: fixturePath("backbone/types.safetensors"))
    #expect(file.metadata == ["origin": "Python", "note": "µm \"quoted\"\n"])
    #expect(
      file.tensorNames == ["bf16", "empty", "f16", "f32", "f64", "flag", "i64", "scalar", "u8"])
    #expect(file.shape(of: "f32") == [2, 3])
    #expect(file.shape(of: "empty") == [0, 3])
    #expect(file.shape(of: "scalar") == [])
    #expect(file.shape(of: "absent") == nil)
    let f32 = try file.floats(of: "f32")
    #expect(f32 == [1.5, -2, .leastNonzeroMagnitude, .greatestFiniteMagnitude, -0.0, 1 / 3])
    #expect(f32[4].sign == .minus)
    #expect(try file.floats(of: "scalar") == [42])
    #expect(try file.floats(of: "empty") == [])
  }

  @Test func halfPrecisionIsWidenedExactly() throws {
    let file = try SafetensorsFile(path: fixturePath("backbone/types.safetensors"))
    #expect(try file.floats(of: "f16") == [65504, 0x1p-24, -0.0, 0x1.554p-2, .infinity])
    // 3e38 and 1/3 rounded to eight bits.
    #expect(try file.floats(of: "bf16") == [0x1.c4p127, 0x1.56p-2, -1])
  }

  @Test func doublesAreRoundedToTheNearestFloat() throws {
    let python = try SafetensorsFile(path: fixturePath("backbone/types.safetensors"))
    #expect(try python.floats(of: "f64") == [0.1])
    let header = #"{"w":{"dtype":"F64","shape":[4],"data_offsets":[0,32]}}"#
    let values: [Double] = [1 / 3, -0.0, 1e300, .nan]
    let bytes =
      file(header: Array(header.utf8), payload: 0)
      + values.flatMap { value in
        (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
      }
    let floats = try SafetensorsFile(bytes: bytes, name: "w").floats(of: "w")
    #expect(floats[..<3] == [1 / 3, 0, .infinity])
    #expect(floats[1].sign == .minus)
    #expect(floats[3].isNaN)
  }

  @Test(arguments: ["i64", "u8", "flag"])
  func otherTypesAreListedButNotReadAsFloats(name: String) throws {
    let file = try SafetensorsFile(path: fixturePath("backbone/types.safetensors"))
    #expect(file.shape(of: name) == [name == "i64" ? 2 : 1])
    let fault = #expect(throws: Fault.self) { try file.floats(of: name) }
    #expect(fault?.kind == .badData)
    #expect(fault?.subject.hasSuffix("types.safetensors: tensor \(name)") == true)
  }

  @Test func encodesTheBytesThatPythonWrites() throws {
    let bytes = SafetensorsFile.encode(
      tensors: [
        (name: "αlpha", shape: [], values: [-1]), (name: "beta", shape: [2, 3], values: [0, 1, 2, 3, 4, 5]),
        (name: "alpha", shape: [1], values: [0.5]),
      ],
      metadata: ["note": "µm \"quoted\" \\ \t\u{1}"])
    let python = try SafetensorsFile(path: fixturePath("backbone/encoded.safetensors"))
    #expect(python.files[0].bytes.withUnsafeBytes { Array($0) } == bytes)
  }

  @Test func encodedTensorsReadBackBitForBit() throws {
    let values: [Float] = [0, -0.0, 1, .nan, .infinity, .leastNonzeroMagnitude]
    let bytes = SafetensorsFile.encode(
      tensors: [(name: "w\u{0}\n", shape: [3, 2], values: values), (name: "", shape: [0], values: [])],
      metadata: ["b": "2", "a": "1"])
    #expect((8 + Int(bytes[0]) + Int(bytes[1]) * 256) % 8 == 0)
    let file = try SafetensorsFile(bytes: bytes, name: "head")
    #expect(file.tensorNames == ["", "w\u{0}\n"])
    #expect(file.metadata == ["a": "1", "b": "2"])
    #expect(try file.floats(of: "w\u{0}\n").map(\.bitPattern) == values.map(\.bitPattern))
  }

  @Test func bytesDoNotDependOnTheOrderOfTensors() {
    let tensors = [("b", [1], [Float(1)]), ("a", [2], [2, 3])]
      .map { (name: $0.0, shape: $0.1, values: $0.2) }
    #expect(
      SafetensorsFile.encode(tensors: tensors) == SafetensorsFile.encode(tensors: tensors.reversed()))
  }

  @Test func aMissingFileIsToldByItsPath() {
    let fault = #expect(throws: Fault.self) { try SafetensorsFile(path: "/nowhere/w.safetensors") }
    #expect(fault?.kind == .missingInput)
    #expect(fault?.subject == "/nowhere/w.safetensors")
  }

  @Test func aFolderIsAFault() {
    let fault = #expect(throws: Fault.self) { try SafetensorsFile(path: "/") }
    #expect(fault?.problem == "is not a regular file")
  }

  @Test func aTensorThatIsNotThereIsNamed() throws {
    let file = try SafetensorsFile(bytes: SafetensorsFile.encode(tensors: []), name: "empty")
    #expect(file.tensorNames.isEmpty)
    let fault = #expect(throws: Fault.self) { try file.floats(of: "weight") }
    #expect(fault == Fault(.missingInput, "empty", "has no tensor weight"))
  }

  @Test(
    arguments: [
      // A header, the bytes behind it, and what the fault must say.
      ("", 0, "does not begin with {"),
      ("[]", 0, "does not begin with {"),
      ("{\"a\":", 0, "is not the JSON of a safetensors file"),
      ("{\"a\":1}", 0, "is not the JSON of a safetensors file: expected { at byte 13"),
      ("{\"__metadata__\":{\"k\":1}}", 0, "is not the JSON of a safetensors file"),
      ("{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "unknown type F31"),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "expected 8 bytes for F32 [2]"),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "expected data_offsets"),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}", 4, "expected data_offsets"),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "expected data_offsets"),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "impossible shape"),
      (
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}", 0,
        "impossible shape"
      ),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 3, "expected 4 bytes of tensors"),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 5, "expected 4 bytes of tensors"),
      ("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2, "expected data from byte 0"),
      (
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
          + "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}", 3, "expected data from byte 2"
      ),
    ])
  func aHeaderThatLiesIsAFault(header: String, payload: Int, says: String) {
    let bytes = file(header: Array(header.utf8), payload: payload)
    let fault = #expect(throws: Fault.self) { try SafetensorsFile(bytes: bytes, name: "w") }
    #expect(fault?.kind == .badData)
    #expect(fault?.description.hasPrefix("w: ") == true)
    #expect(fault?.problem.contains(says) == true, "\(fault?.description ?? "none")")
  }

  @Test func aLengthBeyondTheFileIsAFault() {
    for bytes: [UInt8] in [[], [1, 2, 3], Array(repeating: 255, count: 16), [9, 0, 0, 0, 0, 0, 0, 0, 123]] {
      #expect(throws: Fault.self) { try SafetensorsFile(bytes: bytes, name: "w") }
    }
  }

  @Test func everyTruncationIsAFault() throws {
    let bytes = SafetensorsFile.encode(tensors: [(name: "a", shape: [2, 2], values: [1, 2, 3, 4])])
    for count in 0..<bytes.count {
      #expect(throws: Fault.self) { try SafetensorsFile(bytes: Array(bytes[..<count]), name: "cut") }
    }
  }

  private func file(header: [UInt8], payload: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 8)
    for place in 0..<8 { bytes[place] = UInt8(header.count >> (8 * place) & 255) }
    return bytes + header + [UInt8](repeating: 0, count: payload)
  }
}
