import Faults
import Identity
import Randomness
import TestSupport
import Testing

@testable import Storage

/// The nearest numbers of the type, as the definition of the formats has them.
/// - Shape: `values` is [vectors, dimension], and so is the result.
private func rounded(_ values: some Collection<Float>, to scalar: ScalarType, dimension: Int) -> [Float] {
  if scalar != .int8 { return values.map { rounded($0, to: scalar) } }
  let values = Array(values)
  return stride(from: 0, to: values.count, by: dimension).flatMap { start in
    let vector = values[start..<start + dimension]
    let quotient = (vector.map(abs).max() ?? 0) / 127
    // 16 bits behind the first one.
    let scale = quotient - quotient.truncatingRemainder(dividingBy: quotient.binade * 0x1p-16)
    return vector.map { ($0 / scale).rounded(.toNearestOrEven) * scale }
  }
}

private func rounded(_ value: Float, to scalar: ScalarType) -> Float {
  switch scalar {
  case .float32, .int8: return value
  case .float16: return Float(Float16(value))
  case .bfloat16:
    let low = Float(bitPattern: value.bitPattern & 0xFFFF_0000)
    let high = Float(bitPattern: low.bitPattern + 0x1_0000)
    let (below, above) = (abs(value - low), abs(high - value))
    if below == above { return low.bitPattern >> 16 & 1 == 0 ? low : high }
    return below < above ? low : high
  }
}

/// A database with one space of each type over the same cells.
private struct World {
  let writer: DatabaseWriter
  let path: String
  let dimension: Int
  let spaces: [SpaceRecord]

  init(_ path: String, dimension: Int = 7, cells: [ScalarType] = ScalarType.allCases) throws {
    self.path = path
    self.dimension = dimension
    writer = try DatabaseWriter(path: path, create: true)
    spaces = try writer.write { transaction in
      try cells.map { try transaction.addSpace(name: $0.rawValue, dimension: dimension, scalar: $0) }
    }
  }

  /// Adds cells of an image, a vector of each to every space.
  func add(_ vectors: [Float], image name: String = "a") throws {
    try writer.write { transaction in
      let image = try transaction.addImage(
        ImageRecord(identity: ContentHash(of: name), name: name, files: [], width: 0, height: 0))
      let known = try transaction.rows(ofImage: image).count
      let rows = try transaction.addCells(
        (0..<vectors.count / dimension).map {
          CellRecord(image: image, object: .index(UInt32(known + $0)), geometry: nil)
        }, of: image)
      for space in spaces {
        try vectors.withUnsafeBufferPointer { try transaction.setVectors($0, of: rows, in: space) }
      }
    }
  }

  func vectors(_ space: SpaceRecord) throws -> [Float] {
    try writer.database.read { snapshot in
      try snapshot.rows(in: space).toArray().flatMap { try snapshot.vector(of: $0, in: space) ?? [] }
    }
  }

  var flags: [String] {
    get throws { try writer.database.read { try $0.transaction.formatHeader().readerFlags } }
  }

  func check() throws -> [String] {
    try writer.database.check().faults.map { "\($0.subject) \($0.problem)" }
  }
}

private func numbers(_ count: Int, seed: UInt64) -> [Float] {
  var generator = SeededGenerator(seed: seed)
  return (0..<count).map { _ in Float(generator.normal()) }
}

@Suite struct StoredTypeTests {
  @Test(arguments: [1, 7, 384, 1_000, SpaceRecord.dimensionLimit])
  func vectorsComeBackAsTheNearestNumbersOfTheType(dimension: Int) throws {
    try withTemporaryDirectory { directory in
      let world = try World("\(directory)/db", dimension: dimension)
      let vectors = numbers(dimension * min(700, 40_000 / dimension + 3), seed: 3)
      // In two pieces, so that a block grows.
      let middle = vectors.count / dimension / 3 * dimension
      try world.add(Array(vectors[..<middle]))
      try world.add(Array(vectors[middle...]))
      for space in world.spaces {
        #expect(try world.vectors(space) == rounded(vectors, to: space.scalar, dimension: dimension))
        let layout = BlockLayout(of: space)
        #expect(layout.rowsPerBlock == (64 * 4096 - 64) / space.vectorByteCount)
        try world.writer.database.read { snapshot in
          try snapshot.forEachBlock(of: space, containing: snapshot.allRows()) { block in
            #expect(UInt(bitPattern: block.base) % 64 == 0 && block.scalar == space.scalar)
          }
        }
      }
      #expect(try world.check() == [])
    }
  }

  @Test func theHeaderTellsOfHalfVectorsForAsLongAsThereAreAny() throws {
    try withTemporaryDirectory { directory in
      let world = try World("\(directory)/db", cells: [.float32])
      #expect(try world.flags == [])
      try world.writer.write { transaction in
        let half = try transaction.addSpace(name: "h", dimension: 3, scalar: .float16)
        let brain = try transaction.addSpace(name: "b", dimension: 3, scalar: .bfloat16)
        try transaction.drop(half)
        let flags = try transaction.transaction.formatHeader().readerFlags
        #expect(flags == ["half-vectors"])
        try transaction.rename(brain, to: "c")
      }
      let half = try world.writer.database.read { $0.spaces[1] }
      #expect(try world.flags == ["half-vectors"])
      #expect(try world.check() == [])
      #expect(throws: CancellationError.self) {
        try world.writer.write { transaction in
          try transaction.drop(half)
          throw CancellationError()
        }
      }
      #expect(try world.flags == ["half-vectors"])
      try world.writer.write { _ = try $0.addSpace(name: "q", dimension: 3, scalar: .int8) }
      #expect(try world.flags == ["byte-vectors", "half-vectors"])
      try world.writer.write { try $0.drop(half) }
      #expect(try world.flags == ["byte-vectors"])
      let bytes = try world.writer.database.read { $0.spaces[1] }
      try world.writer.write { try $0.drop(bytes) }
      #expect(try world.flags == [])
    }
  }

  @Test func aProgramThatDoesNotKnowTheFlagNamesIt() throws {
    var header = FormatHeader.current
    header.noteScalars(of: [SpaceRecord(id: 0, name: "a", dimension: 3, scalar: .bfloat16)])
    #expect(header.readerFlags == ["half-vectors"])
    try header.requireSupport(path: "db", forWriting: true)
    let later = FormatHeader(
      version: 1, readerFlags: ["half-vectors", "quarter-vectors"], writerFlags: [], createdBy: "cellvec 9")
    let fault = #expect(throws: Fault.self) { try later.requireSupport(path: "db", forWriting: false) }
    #expect(
      fault?.description == "db: expected database format version 1, found version 1 with quarter-vectors; "
        + "use the cellvec that wrote it (cellvec 9) or a newer one")
  }

  @Test func recordsOfFloat32AreWhatTheyWere() throws {
    let record = SpaceRecord(id: 2, name: "s", dimension: 3)
    #expect(
      String(decoding: try Document.encode(record), as: UTF8.self) == #"{"dimension":3,"id":2,"name":"s"}"#)
    let half = SpaceRecord(id: 2, name: "s", dimension: 3, scalar: .bfloat16)
    let json = try Document.encode(half)
    #expect(
      String(decoding: json, as: UTF8.self) == #"{"dimension":3,"id":2,"name":"s","scalarType":"bfloat16"}"#)
    try json.withUnsafeBytes { try #expect(Document.decode(SpaceRecord.self, from: $0, of: "s") == half) }
  }

  @Test(arguments: [(ScalarType.float16, Float(-65_520), "65504"), (.bfloat16, 3.4e38, "3.3895e38")])
  func numbersBeyondTheTypeAreRefusedWithTheirPlace(scalar: ScalarType, value: Float, limit: String) throws {
    try withTemporaryDirectory { directory in
      let world = try World("\(directory)/db", dimension: 3, cells: [scalar])
      try world.add([1, 2, 3])
      let fault = #expect(throws: Fault.self) { try world.add([1, 2, 3, 4, value, 6], image: "b") }
      #expect(fault?.kind == .badData)
      #expect(fault?.subject == "the vector of cell 2, column 1")
      #expect(
        fault?.problem == "expected numbers up to \(limit), which space \"\(scalar)\" keeps as \(scalar), "
          + "found \(value)")
      #expect(try world.vectors(world.spaces[0]) == [1, 2, 3])
      for unsound in [Float.nan, .infinity] {
        let fault = #expect(throws: Fault.self) { try world.add([unsound, 2, 3], image: "c") }
        #expect(
          fault?.subject == "the vector of cell 1" && fault?.problem.contains("NaN or infinity") == true)
      }
      // What is still rounded to the largest number is kept.
      let largest: Float = scalar == .float16 ? 65_519 : .init(bitPattern: 0x7F7F_7FFF)
      try world.add([largest, -largest, 0], image: "d")
      let kept = try world.vectors(world.spaces[0]).suffix(3)
      #expect(kept.allSatisfy(\.isFinite) && kept.first == -(kept.dropFirst().first ?? 0))
    }
  }

  @Test(arguments: [
    (ScalarType.float16, UInt8(3), "bfloat16"), (.bfloat16, 1, "float32"), (.float32, 2, "float16"),
    (.float16, 9, "numbers of the unknown type 9"), (.int8, 1, "float32"), (.bfloat16, 4, "int8"),
  ])
  func aBlockOfAnotherTypeThanItsSpaceIsNamed(scalar: ScalarType, code: UInt8, name: String) throws {
    try withTemporaryDirectory { directory in
      let world = try World("\(directory)/db", cells: [scalar])
      try world.add(numbers(70, seed: 1))
      try world.writer.write { transaction in
        let key = Key().appending(world.spaces[0].id).appending(UInt32(0))
        let stored = try transaction.transaction.get(.vectors, key)
        var value = Array(try #require(stored))
        value[6] = code
        try transaction.transaction.put(.vectors, key, byteCount: value.count) { $0.copyBytes(from: value) }
      }
      let problem = "is damaged: it holds \(name), and its space \(scalar)"
      #expect(try world.check().first == "block 0 of space 0 \(problem)")
      let fault = #expect(throws: Fault.self) { try world.vectors(world.spaces[0]) }
      #expect(fault?.problem == problem)
    }
  }

  @Test(arguments: [(ScalarType.float16, "half-vectors"), (.int8, "byte-vectors")])
  func aHeaderWithoutTheFlagIsNamed(scalar: ScalarType, flag: String) throws {
    try withTemporaryDirectory { directory in
      let world = try World("\(directory)/db", cells: [scalar])
      try world.writer.write {
        try $0.transaction.put(.header, FormatHeader.key, Document.encode(FormatHeader.current))
      }
      #expect(
        try world.check()
          == ["the format header has no flag \"\(flag)\", and space \"\(scalar)\" needs it"])
    }
  }

  @Test func deletionCompactionAndSalvageKeepTheTypes() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      let vectors = numbers(7 * 90, seed: 5)
      do {
        let world = try World(path)
        try world.add(vectors)
        try world.writer.write { try $0.deleteCells(RowSet(10..<20)) }
        try world.writer.write { try $0.deleteCells(RowSet(80..<90)) }
      }
      _ = try DatabaseWriter.compact(path: path)
      let database = try Database(path: path)
      #expect(try database.check().faults == [])
      try database.read { snapshot in
        let left = try snapshot.allRows()
        #expect(left == RowSet(Array(0..<10) + Array(20..<80)))
        for space in snapshot.spaces {
          let salvage = try snapshot.salvage(space)
          #expect(salvage.rows == left && salvage.faults.isEmpty)
          try snapshot.forEachVerifiedBlock(of: space, with: left) { block in
            for row in block.rows {
              let vector = vectors[Int(row) * 7..<Int(row) * 7 + 7]
              let truth = rounded(vector, to: space.scalar, dimension: 7)
              #expect(block.vector(of: row) == truth)
            }
          }
        }
      }
    }
  }

  @Test func mergeKeepsTheNumbersAndRefusesOthers() throws {
    try withTemporaryDirectory { directory in
      let vectors = numbers(7 * 30, seed: 6)
      let source = try World("\(directory)/source")
      try source.add(vectors)
      let target = try DatabaseWriter(path: "\(directory)/target", create: true)
      for vectorCount in [120, 0] {
        #expect(try target.merge(source.writer.database).vectors == vectorCount)
        #expect(try target.database.check().faults == [])
      }
      try target.database.read { snapshot in
        #expect(snapshot.spaces.map(\.scalar) == ScalarType.allCases)
        let flags = try snapshot.transaction.formatHeader().readerFlags
        #expect(flags == ["byte-vectors", "half-vectors"])
        for space in snapshot.spaces {
          for row in 0..<Row(30) {
            let vector = vectors[Int(row) * 7..<Int(row) * 7 + 7]
            let truth = rounded(vector, to: space.scalar, dimension: 7)
            try #expect(snapshot.vector(of: row, in: space) == truth)
          }
        }
      }
      let other = try DatabaseWriter(path: "\(directory)/other", create: true)
      _ = try other.write { try $0.addSpace(name: "float16", dimension: 7) }
      let fault = #expect(throws: Fault.self) { try other.merge(source.writer.database) }
      #expect(fault?.subject == "\(directory)/source: space \"float16\"")
      #expect(
        fault?.problem == "expected vectors of float32, as \(directory)/other has, found float16")
      #expect(try other.database.read { try $0.allRows().isEmpty && $0.spaces.count == 1 })
    }
  }
}
