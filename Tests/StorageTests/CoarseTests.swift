import Faults
import Glibc
import Identity
import Kernels
import Randomness
import TestSupport
import Testing

@testable import Storage

/// A database with a space of vectors and coarse copies of them.
private struct CopiedSpace {
  static let dimension = 300
  let path: String
  let writer: DatabaseWriter
  let space: SpaceRecord

  init(at path: String, rows: Int, scalar: ScalarType = .float32) throws {
    self.path = path
    writer = try DatabaseWriter(path: path, create: true)
    space = try writer.write { transaction in
      let space = try transaction.addSpace(name: "s", dimension: Self.dimension, scalar: scalar)
      let image = try transaction.addImage(
        ImageRecord(identity: ContentHash(of: "a"), name: "a", files: [], width: 8, height: 8))
      let rows = try transaction.addCells(
        (0..<rows).map { CellRecord(image: image, object: .index(UInt32($0)), geometry: nil) }, of: image)
      var generator = SeededGenerator(seed: 1)
      let vectors = (0..<rows.count * Self.dimension).map { _ in Float(generator.normal()) }
      try vectors.withUnsafeBufferPointer { try transaction.setVectors($0, of: rows, in: space) }
      return space
    }
  }

  /// Vectors with a copy that a search may trust, whose groups were compared with what they must be.
  func copiedVectors() throws -> Int {
    try Database(path: path).read { snapshot in
      var count = 0
      try snapshot.forEachBlock(of: space, containing: snapshot.rows(in: space), withCoarse: true) { block in
        guard let coarse = block.coarse else { return }
        var groups = [UInt8](
          repeating: 0, count: (block.slotCount + 15) / 16 * kernels_coarse_group_bytes(block.dimension))
        kernels_coarsen(space.scalar.kernel, block.base, block.slotCount, block.dimension, &groups)
        #expect(memcmp(groups, coarse, groups.count) == 0)
        #expect(Int(bitPattern: coarse) % 64 == 0)
        count += block.rows.count
      }
      return count
    }
  }

  func extent() throws -> (vectors: Int, byteCount: Int) {
    try Database(path: path).read { try $0.coarseExtent(of: space) }
  }

  func faults() throws -> [String] { try Database(path: path).check().faults.map(\.description) }

  func set(_ value: Float, of rows: [Row]) throws {
    try writer.write { transaction in
      try Array(repeating: value, count: rows.count * Self.dimension).withUnsafeBufferPointer {
        try transaction.setVectors($0, of: rows, in: space)
      }
    }
  }

  func change(_ body: (borrowing Transaction) throws -> Void) throws {
    try writer.write { try body($0.transaction) }
  }
}

@Suite struct CoarseTests {
  @Test func vectorsOf8BitsGetNoCopies() throws {
    try withTemporaryDirectory { directory in
      let copied = try CopiedSpace(at: "\(directory)/db", rows: 100, scalar: .int8)
      let fault = #expect(throws: Fault.self) { try copied.writer.makeCoarse(of: copied.space) }
      #expect(fault?.kind == .usage && fault?.subject == "space \"s\"")
      try copied.writer.followCoarse(of: copied.space)
      #expect(try copied.extent() == (0, 0) && copied.faults() == [])
    }
  }

  @Test(arguments: ScalarType.allCases.filter { $0 != .int8 }) func everyBlockGetsACopy(
    scalar: ScalarType
  ) throws {
    try withTemporaryDirectory { directory in
      let copied = try CopiedSpace(at: "\(directory)/db", rows: 1000, scalar: scalar)
      #expect(try copied.copiedVectors() == 0)
      #expect(try copied.extent() == (0, 0))
      var progress: [Int] = []
      #expect(try copied.writer.makeCoarse(of: copied.space) { progress.append($0) }.vectors == 1000)
      #expect(progress == [1000])
      #expect(try copied.copiedVectors() == 1000)
      #expect(try copied.faults() == [])
      let layout = CoarseBlockLayout(of: copied.space)
      let full = layout.vectors.rowsPerBlock
      let bytes = 1000 / full * (layout.valueByteCount(slotCount: full) + 6)
      #expect(try copied.extent() == (1000, bytes + layout.valueByteCount(slotCount: 1000 % full) + 6))
      #expect((layout.valueByteCount(slotCount: full) + 16) % 4096 == 0)
      #expect(try copied.writer.makeCoarse(of: copied.space) == CoarseSummary())
    }
  }

  @Test func changedVectorsHaveNoCopyUntilTheNextIsMade() throws {
    try withTemporaryDirectory { directory in
      let copied = try CopiedSpace(at: "\(directory)/db", rows: 1000)
      let perBlock = copied.space.rowsPerBlock
      try copied.writer.makeCoarse(of: copied.space)
      try copied.set(2, of: [5])
      #expect(try copied.copiedVectors() == 1000 - perBlock)
      #expect(try copied.extent().vectors == 1000 - perBlock)
      #expect(try copied.faults() == [])
      try copied.writer.followCoarse(of: copied.space)
      #expect(try copied.copiedVectors() == 1000)

      // Deleted cells: of the first block some, of the second all.
      _ = try copied.writer.write { try $0.deleteCells(RowSet(Row(10)..<Row(2 * perBlock))) }
      #expect(try copied.copiedVectors() == 1000 - 2 * perBlock)
      #expect(try copied.faults() == [])
      let summary = try copied.writer.makeCoarse(of: copied.space)
      #expect(summary.vectors == 10 && summary.removedBlocks == 1)
      #expect(try copied.copiedVectors() == 1010 - 2 * perBlock)
      #expect(try copied.faults() == [])
    }
  }

  @Test func onlySpacesThatHaveCopiesAreFollowed() throws {
    try withTemporaryDirectory { directory in
      let copied = try CopiedSpace(at: "\(directory)/db", rows: 300)
      try copied.writer.followCoarse(of: copied.space)
      #expect(try copied.copiedVectors() == 0)
      #expect(try !copied.writer.dropCoarse(of: copied.space))
      try copied.writer.makeCoarse(of: copied.space)
      #expect(try copied.writer.dropCoarse(of: copied.space))
      #expect(try copied.extent() == (0, 0))
    }
  }

  @Test func copiesGoWithTheirSpaceAndStayInACompactFile() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      var copied: CopiedSpace? = try CopiedSpace(at: path, rows: 500)
      let space = try #require(copied?.space)
      try copied?.writer.makeCoarse(of: space)
      copied = nil
      _ = try DatabaseWriter.compact(path: path)
      #expect(try Database(path: path).read { try $0.coarseExtent(of: space).vectors } == 500)
      let writer = try DatabaseWriter(path: path, create: false)
      try writer.write { try $0.drop(space) }
      #expect(try Database(path: path).read { $0.transaction.count(.coarse) } == 0)
      #expect(try Database(path: path).check().faults.isEmpty)
    }
  }

  @Test func aWrongCopyIsFoundAndRemoved() throws {
    try withTemporaryDirectory { directory in
      let copied = try CopiedSpace(at: "\(directory)/db", rows: 500)
      let layout = CoarseBlockLayout(of: copied.space)
      let key = CoarseBlockLayout.key(space: copied.space.id, block: 1)
      let changes: [(problem: String, change: (inout [UInt8]) -> Void)] = [
        ("does not match its checksum", { $0[5000] ^= 1 }),
        (
          "differs from its vectors",
          { value in
            value[5000] ^= 1
            let groups = value[
              48..<48 + kernels_coarse_group_count(layout.vectors.rowsPerBlock) * layout.groupByteCount]
            let checksum = groups.withUnsafeBytes { checksum64($0) }
            withUnsafeBytes(of: checksum.littleEndian) { value.replaceSubrange(32..<40, with: $0) }
          }
        ),
        ("has a header that does not fit its place", { $0[8] ^= 2 }),
        ("has a header that does not fit its place", { $0.removeLast($0.count - 20) }),
        ("has another length than its block", { $0.removeLast(4096) }),
      ]
      for (problem, change) in changes {
        try copied.writer.makeCoarse(of: copied.space)
        try copied.change { transaction in
          var value = Array(try transaction.get(.coarse, key) ?? UnsafeRawBufferPointer(start: nil, count: 0))
          change(&value)
          try transaction.put(.coarse, key, value)
        }
        #expect(
          try copied.faults() == [
            "the int8 copy of block 1 of space 0: \(problem); run cellvec check --repair"
          ])
        #expect(try copied.writer.repair() == 1)
        #expect(try copied.faults() == [])
        #expect(try copied.copiedVectors() == 500 - layout.vectors.rowsPerBlock)
      }
      try copied.change { try $0.put(.coarse, Key().appending(UInt16(7)).appending(UInt32(0)), [1, 2, 3]) }
      #expect(
        try copied.faults() == [
          "the int8 copy of block 0 of space 7: is of no space; run cellvec check --repair"
        ])
      #expect(try copied.writer.repair() == 1)
      #expect(try copied.faults() == [])
    }
  }
}
