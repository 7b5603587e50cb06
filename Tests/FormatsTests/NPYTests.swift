import Faults
import Foundation
import Randomness
import TestSupport
import Testing

@testable import Formats

func filesIn(_ folder: String) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
}

private func npy(_ name: String) -> String { fixturePath("formats/\(name).npy") }

/// What tools/fixtures/formats.py puts into its files.
private func values(_ rows: Range<Int>, _ dimension: Int) -> [Float] {
  rows.flatMap { row in (0..<dimension).map { Float(row) + Float($0) / 8 } }
}

private func content(_ matrix: NPYMatrix) -> [Float] { matrix.withUnsafeValues { Array($0) } }

/// The part of a fault after the path.
private func problem(_ name: String) -> String? {
  let fault = #expect(throws: Fault.self) { try NPYMatrix(path: npy(name)) }
  #expect(fault?.kind == .badData && fault?.subject == npy(name))
  return fault.map { $0.remedy.isEmpty ? $0.problem : "\($0.problem); \($0.remedy)" }
}

@Suite struct NPYTests {
  @Test(arguments: ["v1", "v2", "v3"])
  func everyHeaderVersionIsRead(name: String) throws {
    let matrix = try NPYMatrix(path: npy(name))
    #expect(matrix.count == 5 && matrix.dimension == 3)
    #expect(content(matrix) == values(0..<5, 3))
    #expect(matrix.firstNonFinite() == nil)
  }

  @Test func vectorsAreReadAgainAfterTheirMemoryWasGivenBack() throws {
    for name in ["v1", "v2", "v3"] {
      let matrix = try NPYMatrix(path: npy(name))
      for _ in 0..<2 {
        #expect(matrix.readVectors(1..<4) { Array($0) } == values(1..<4, 3))
        #expect(matrix.readVectors(2..<2) { Array($0) } == [])
      }
      #expect(content(matrix) == values(0..<5, 3))
    }
  }

  @Test func oneAxisIsOneVectorAndNoVectorsAreNone() throws {
    let vector = try NPYMatrix(path: npy("one-vector"))
    #expect(vector.count == 1 && vector.dimension == 3 && content(vector) == values(2..<3, 3))
    let none = try NPYMatrix(path: npy("no-vectors"))
    #expect(none.count == 0 && none.dimension == 3 && content(none).isEmpty)
  }

  @Test func otherTypesAreFaultsThatSayHowToConvert() {
    let convert = "convert with x.astype('float32')"
    #expect(problem("float64") == "expected float32 ('<f4'), found '<f8'; \(convert)")
    #expect(problem("float16") == "expected float32 ('<f4'), found '<f2'; \(convert)")
    #expect(problem("int64") == "expected float32 ('<f4'), found '<i8'; \(convert)")
    #expect(problem("records") == "expected float32 ('<f4'), found records of several fields; \(convert)")
    #expect(
      problem("big-endian")
        == "expected float32 ('<f4'), found '>f4'; its bytes are big-endian; convert with x.astype('<f4')")
  }

  @Test func otherShapesAreFaultsThatSayHowToConvert() {
    #expect(
      problem("fortran")
        == "expected rows one after another (C order), found columns (Fortran order); "
        + "convert with numpy.ascontiguousarray(x)")
    #expect(
      problem("three-axes")
        == "expected an array of shape (vectors, dimension), found shape (5, 3, 1); "
        + "convert with x.reshape(len(x), -1)")
    #expect(problem("scalar")?.contains("found shape ()") == true)
  }

  @Test func theFirstValueThatIsNotFiniteIsFound() throws {
    for name in ["nan", "infinity"] {
      let place = try NPYMatrix(path: npy(name)).firstNonFinite()
      #expect(place?.row == 3 && place?.column == 1)
    }
  }

  @Test func truncatedAndOversizedFilesAreFaultsThatSayWhich() throws {
    let bytes = try Data(contentsOf: URL(filePath: npy("v1")))
    try withTemporaryDirectory { folder in
      let path = "\(folder)/x.npy"
      for (changed, expected) in [
        (bytes.dropLast(4), "56 bytes follow it; the file is cut off; copy or write it again"),
        (bytes + [0], "61 bytes follow it; the file has bytes too many"),
      ] {
        try write(changed, to: path)
        let fault = #expect(throws: Fault.self) { try NPYMatrix(path: path) }
        #expect(fault?.description.contains(expected) == true)
      }
      for length in 0..<128 {
        try write(bytes.prefix(length), to: path)
        #expect(throws: Fault.self) { try NPYMatrix(path: path) }
      }
    }
  }

  @Test(arguments: [
    "(4611686018427387904, 4)", "(9223372036854775807, 2)", "(99999999999999999999, 1)", "(-1, 3)", "(3, 0)",
    "(3 3)", "3",
  ])
  func shapesThatCannotBeAreFaults(shape: String) throws {
    try withTemporaryDirectory { folder in
      let text = "{'descr': '<f4', 'fortran_order': False, 'shape': \(shape)}\n"
      let path = "\(folder)/x.npy"
      try write(NPYHeader.magic + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8), to: path)
      #expect(throws: Fault.self) { try NPYMatrix(path: path) }
    }
  }

  @Test func headersWithoutPaddingAreReadToo() throws {
    try withTemporaryDirectory { folder in
      let data = values(0..<2, 3).flatMap { value in withUnsafeBytes(of: value) { Array($0) } }
      for padding in 0..<4 {
        let text =
          "{\"shape\":(2L,3),\"fortran_order\":False,\"descr\":\"<f4\"}"
          + String(repeating: " ", count: padding)
        let path = "\(folder)/x.npy"
        try write(
          NPYHeader.magic + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8) + data, to: path)
        #expect(content(try NPYMatrix(path: path)) == values(0..<2, 3))
      }
    }
  }

  @Test func theWriterMakesTheBytesThatNumpyMakes() throws {
    try withTemporaryDirectory { folder in
      let path = "\(folder)/written.npy"
      var writer = try NPYWriter(path: path, dimension: 3)
      try writer.write(values(0..<2, 3))
      try writer.write([])
      try writer.write(values(2..<7, 3))
      #expect(writer.count == 7)
      try writer.close()
      let bytes = try Data(contentsOf: URL(filePath: path))
      #expect(try bytes == Data(contentsOf: URL(filePath: npy("seven"))))
      #expect(content(try NPYMatrix(path: path)) == values(0..<7, 3))
      #expect(try filesIn(folder) == ["written.npy"])
    }
  }

  @Test func theHeaderHasRoomForAnyShape() {
    #expect(NPYHeader.encoded(shape: [0, 1]).count == 128)
    #expect(NPYHeader.encoded(shape: [Int.max, Int.max]).count == 128)
  }

  @Test func rowsCanHaveExtentsOfTheirOwn() throws {
    try withTemporaryDirectory { folder in
      let path = "\(folder)/crops.npy"
      var writer = try NPYWriter(path: path, rowShape: [2, 3, 4])
      try writer.write(values(0..<2, 24))
      #expect(writer.count == 2)
      try writer.close()
      let header = try #require(bytes(ofFile: path)).prefix(128)
      #expect(String(decoding: header, as: UTF8.self).contains("'shape': (2, 2, 3, 4)"))
    }
  }

  @Test func anUnfinishedFileLeavesNothingBehind() throws {
    try withTemporaryDirectory { folder in
      do {
        var writer = try NPYWriter(path: "\(folder)/x.npy", dimension: 2)
        try writer.write([1, 2])
      }
      #expect(try filesIn(folder).isEmpty)
    }
  }

  @Test func mutatedFilesAreReadOrRefusedButNeverCrash() throws {
    var generator = SeededGenerator(seed: 5)
    let original = try [UInt8](Data(contentsOf: URL(filePath: npy("v1"))))
    try withTemporaryDirectory { folder in
      let path = "\(folder)/x.npy"
      for _ in 0..<1000 {
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
          // The header's text is where the reader could go wrong.
          let place = Int.random(in: 0..<min(bytes.count, 80), using: &generator)
          switch generator.next() % 3 {
          case 0: bytes[place] = UInt8(truncatingIfNeeded: generator.next())
          case 1: bytes.remove(at: place)
          default: bytes.insert(Array("()[]{}',:0L ".utf8).randomElement(using: &generator)!, at: place)
          }
        }
        try write(bytes, to: path)
        do {
          let matrix = try NPYMatrix(path: path)
          #expect(content(matrix).count == matrix.count * matrix.dimension)
        } catch {
          #expect((error as? Fault)?.kind == .badData)
        }
      }
    }
  }
}
