import Identity
import TestSupport
import Testing

@testable import Storage

@Suite struct BlockChangeTests {
  private static let dimension = 4096

  /// A vector whose numbers say which it is.
  private func vector(_ number: Int) -> [Float] {
    (0..<Self.dimension).map { Float(number) + Float($0) / 8192 }
  }

  /// More blocks than are held in memory, so that some are written, read and written again within one transaction:
  /// behind what they have, over it, with gaps, whole, and cut.
  @Test(arguments: ScalarType.allCases) func blocksThatChangeTwiceInATransactionAreWhatWasSetLast(
    scalar: ScalarType
  ) throws {
    let perBlock = SpaceRecord.rowsPerBlock(dimension: Self.dimension, scalar: scalar)
    let blockCount = 40
    let rowCount = blockCount * perBlock
    func stored(_ number: Int) -> [Float] {
      var vector = vector(number)
      return vector.withUnsafeMutableBufferPointer { numbers in
        let bytes = UnsafeMutableRawBufferPointer.allocate(
          byteCount: scalar.byteCount(dimension: numbers.count), alignment: 64)
        defer { bytes.deallocate() }
        guard let base = bytes.baseAddress, let values = numbers.baseAddress else { return [] }
        scalar.narrow(UnsafeBufferPointer(numbers), dimension: numbers.count, into: base)
        scalar.widen(base, count: numbers.count, into: values)
        return Array(numbers)
      }
    }
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      var expected: [Row: Int] = [:]
      func set(_ row: Int, _ number: Int, _ space: SpaceRecord, _ transaction: inout WriteTransaction) throws
      {
        try vector(number).withUnsafeBufferPointer {
          try transaction.setVectors($0, of: Row(row)..<Row(row + 1), in: space)
        }
        expected[Row(row)] = number
      }
      try writer.write { transaction in
        let image = try transaction.addImage(
          ImageRecord(identity: ContentHash(of: "a"), name: "a", files: [], width: 0, height: 0))
        let cells = (0..<rowCount).map {
          CellRecord(image: image, object: .index(UInt32($0)), geometry: nil, values: [:])
        }
        _ = try transaction.appendCells(cells, of: image)
        let space = try transaction.addSpace(name: "s", dimension: Self.dimension, scalar: scalar)
        for block in 0..<blockCount { try set(block * perBlock, block, space, &transaction) }
      }
      try writer.write { transaction in
        let found = transaction.space(named: "s")
        let space = try #require(found)
        for round in 1...3 {
          for block in 0..<blockCount {
            // Behind what is there, with a gap where there is room for one.
            let slot = min(perBlock - 1, round + block % 3)
            try set(block * perBlock + slot, 1000 * round + block, space, &transaction)
            if block % 5 == round { try set(block * perBlock, 5000 + block, space, &transaction) }
          }
        }
        let whole = 7 * perBlock..<8 * perBlock
        try whole.flatMap { vector($0) }.withUnsafeBufferPointer {
          try transaction.setVectors($0, of: Row(whole.lowerBound)..<Row(whole.upperBound), in: space)
        }
        for row in whole { expected[Row(row)] = row }
        try set(whole.lowerBound + 1, 9000, space, &transaction)
      }
      try writer.write { transaction in
        _ = try transaction.deleteCells(RowSet([0, Row(8 * perBlock)]))
        expected[0] = nil
        expected[Row(8 * perBlock)] = nil
      }
      try writer.database.read { snapshot in
        let found = snapshot.space(named: "s")
        let space = try #require(found)
        #expect(try snapshot.rows(in: space) == RowSet(expected.keys))
        for (row, number) in expected { #expect(try snapshot.vector(of: row, in: space) == stored(number)) }
      }
      #expect(try writer.database.check().faults.isEmpty)
    }
  }
}
