import Faults
import Identity
import Randomness
import TestSupport
import Testing

@testable import Storage

/// A database with one image of `cellCount` cells, each with a gene, labels and an area, and a 5-dimensional
/// vector of its row number.
private func fill(_ writer: DatabaseWriter, cellCount: Int) throws -> SpaceRecord {
  try writer.write { transaction in
    let gene = try transaction.field(named: "gene", type: .string)
    let labels = try transaction.field(named: "localization", type: .list)
    let area = try transaction.field(named: "area", type: .number)
    let space = try transaction.addSpace(
      name: "s", dimension: 5)
    let image = try transaction.addImage(testImage("a"))
    let cells = (0..<cellCount).map { index -> CellRecord in
      let values: [UInt16: FieldValue] = [
        gene.id: .string(index.isMultiple(of: 2) ? "BAG6" : "AAMP"),
        labels.id: .list(index.isMultiple(of: 3) ? ["er", "golgi"] : ["er"]),
        area.id: .number(Double(index)),
      ]
      return CellRecord(
        image: image, object: .label(UInt32(index + 1)), geometry: testGeometry, values: values)
    }
    let rows = try transaction.addCells(cells, of: image)
    let vectors = rows.flatMap { row in (0..<5).map { column -> Float in Float(row) + Float(column) / 10 } }
    try vectors.withUnsafeBufferPointer { try transaction.setVectors($0, of: rows, in: space) }
    try transaction.setOutcome(
      IngestOutcome(found: cellCount + 1, kept: cellCount, dropped: ["too small": 1]), image: image,
      space: space)
    return space
  }
}

private let testGeometry = CellGeometry(
  box: BoundingBox(x: 1, y: -2, width: 3, height: 4), centerX: 2.5, centerY: 0.5, areaPx: 12)

private func testImage(_ name: String) -> ImageRecord {
  ImageRecord(
    identity: ContentHash(of: name), name: name,
    files: [ChannelFile(role: "protein", path: "\(name).png", plane: 0)], width: 64, height: 32)
}

@Suite struct StorageTests {
  @Test func whatIsWrittenIsReadByAnotherOpening() throws {
    try withTemporaryDirectory { directory in
      let space = try fill(DatabaseWriter(path: "\(directory)/db", create: true), cellCount: 2_000)
      let database = try Database(path: "\(directory)/db")
      try database.read { snapshot in
        try #expect(snapshot.rowLimit() == 2_000)
        try #expect(snapshot.allRows() == RowSet(0..<2_000))
        try #expect(snapshot.rows(in: space).count == 2_000)
        #expect(snapshot.fields.map(\.name) == ["gene", "localization", "area"])
        let found = try snapshot.cell(at: 3)
        let cell = try #require(found)
        #expect(cell.object == .label(4))
        #expect(cell.geometry?.box == BoundingBox(x: 1, y: -2, width: 3, height: 4))
        #expect(cell.values[0] == .string("AAMP"))
        #expect(cell.values[1] == .list(["er", "golgi"]))
        #expect(cell.values[2] == .number(3))
        try #expect(snapshot.vector(of: 1_999, in: space) == [1999, 1999.1, 1999.2, 1999.3, 1999.4])
        try #expect(snapshot.vector(of: 2_000, in: space) == nil)
        try #expect(snapshot.outcome(image: 0, space: space)?.dropped == ["too small": 1])
        try #expect(snapshot.image(0)?.rows == [0..<2_000])
        #expect(snapshot.check() == [])
      }
    }
  }

  @Test func indexesAnswerEqualityContainmentRangeAndNull() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      _ = try fill(writer, cellCount: 100)
      try writer.database.read { snapshot in
        let (gene, labels, area) = (snapshot.fields[0], snapshot.fields[1], snapshot.fields[2])
        try #expect(snapshot.rows(gene, equals: "BAG6").toArray() == Array(stride(from: 0, to: 100, by: 2)))
        try #expect(snapshot.rows(gene, equals: "none").isEmpty)
        try #expect(
          snapshot.rows(labels, equals: "golgi").toArray() == Array(stride(from: 0, to: 100, by: 3)))
        try #expect(
          snapshot.rows(
            area, from: NumberBound(10, isInclusive: false), to: NumberBound(12, isInclusive: true)
          )
          .toArray() == [11, 12])
        try #expect(snapshot.rows(withValueIn: area).count == 100)
        let counts = try snapshot.distinctTexts(labels)
        #expect(counts.map(\.text) == ["er", "golgi"])
        #expect(counts.map(\.count) == [100, 34])
      }
    }
  }

  @Test func changedValuesMoveBetweenIndexes() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      _ = try fill(writer, cellCount: 10)
      try writer.write { transaction in
        try transaction.setValues(
          [0: .string("NEW"), 1: .list(["golgi", "golgi"]), 2: FieldValue?.none], of: 1)
      }
      try writer.database.read { snapshot in
        try #expect(snapshot.rows(snapshot.fields[0], equals: "NEW").toArray() == [1])
        try #expect(snapshot.rows(snapshot.fields[1], equals: "golgi").toArray() == [0, 1, 3, 6, 9])
        try #expect(snapshot.rows(withValueIn: snapshot.fields[2]).count == 9)
        try #expect(snapshot.rows(snapshot.fields[2], from: nil, to: nil).count == 9)
        try #expect(snapshot.cell(at: 1)?.values[1] == .list(["golgi"]))
        #expect(snapshot.check() == [])
      }
    }
  }

  @Test func aCellIsReadWithTheFieldsThatAreAskedFor() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      _ = try fill(writer, cellCount: 10)
      try writer.database.read { snapshot in
        let whole = try #require(try snapshot.cell(at: 3))
        #expect(whole.values.count > 1)
        for fields in [[], [0], [1, 0], [0, 7]] as [[UInt16]] {
          let part = try #require(try snapshot.cell(at: 3, reading: fields))
          #expect(part.values == whole.values.filter { fields.contains($0.key) })
          #expect(part.image == whole.image && part.object == whole.object)
        }
      }
    }
  }

  @Test func theSameCellTwiceIsOneCell() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let rows = try writer.write { transaction in
        let gene = try transaction.field(named: "gene", type: .string)
        let image = try transaction.addImage(testImage("a"))
        let cell = CellRecord(image: image, object: .whole, geometry: nil, values: [:])
        var again = cell
        again.values[gene.id] = .string("X")
        let first = try transaction.addCells([cell], of: image)
        return first + (try transaction.addCells([again], of: transaction.addImage(testImage("a"))))
      }
      #expect(rows == [0, 0])
      try writer.database.read { snapshot in
        #expect(snapshot.imageCount() == 1)
        try #expect(snapshot.cell(at: 0)?.values == [0: .string("X")])
        #expect(snapshot.check() == [])
      }
    }
  }

  @Test func anObjectOfAnotherShapeIsAnotherCell() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let rows = try writer.write { transaction in
        let image = try transaction.addImage(testImage("a"))
        let cell = CellRecord(image: image, object: .label(1), geometry: testGeometry)
        let moved = CellRecord(
          image: image, object: .label(1),
          geometry: CellGeometry(
            box: BoundingBox(x: 9, y: 9, width: 3, height: 4), centerX: 10, centerY: 10, areaPx: 12))
        return try transaction.addCells([cell], of: image) + transaction.addCells([moved, cell], of: image)
      }
      #expect(rows == [0, 1, 0])
    }
  }

  @Test func aFailedTransactionLeavesNothing() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let space = try fill(writer, cellCount: 3)
      let fault = #expect(throws: Fault.self) {
        try writer.write { transaction in
          let image = try transaction.addImage(testImage("b"))
          let rows = try transaction.addCells(
            [CellRecord(image: image, object: .whole, geometry: nil)], of: image)
          try [Float](arrayLiteral: 1, 2, .nan, 4, 5).withUnsafeBufferPointer {
            try transaction.setVectors($0, of: rows, in: space)
          }
        }
      }
      #expect(fault?.kind == .badData)
      try writer.database.read { snapshot in
        #expect(snapshot.imageCount() == 1)
        try #expect(snapshot.rowLimit() == 3)
        #expect(snapshot.check() == [])
      }
    }
  }

  @Test(arguments: [1, 5, 384, 1000, SpaceRecord.dimensionLimit])
  func blocksOfAnyDimensionComeBackWhole(dimension: Int) throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let rowsPerBlock = BlockLayout(dimension: dimension).rowsPerBlock
      let count = min(rowsPerBlock * 2 + 3, 400)
      var generator = SeededGenerator(seed: 1)
      let vectors = (0..<count * dimension).map { _ in Float(generator.uniform()) }
      // Written in pieces of three rows, so that the last block grows through its sizes.
      let space = try writer.write { transaction in
        try transaction.addSpace(
          name: "s", dimension: dimension)
      }
      for start in stride(from: 0, to: count, by: count / 3 + 1) {
        try writer.write { transaction in
          let image = try transaction.addImage(testImage("a"))
          let piece = start..<min(start + count / 3 + 1, count)
          let cells = piece.map { CellRecord(image: image, object: .index(UInt32($0)), geometry: nil) }
          let rows = try transaction.addCells(cells, of: image)
          try vectors.withUnsafeBufferPointer {
            try transaction.setVectors(
              UnsafeBufferPointer(rebasing: $0[piece.lowerBound * dimension..<piece.upperBound * dimension]),
              of: rows, in: space)
          }
        }
      }
      try writer.database.read { snapshot in
        var read: [Float] = []
        try snapshot.forEachBlock(of: space, containing: snapshot.allRows()) { block in
          #expect(UInt(bitPattern: block.base) % 64 == 0)
          #expect(block.wanted == nil)
          #expect(Int(block.firstRow) * dimension == read.count)
          for row in block.rows { read += block.vector(of: row) }
        }
        #expect(read == vectors)
        #expect(snapshot.check() == [])
      }
    }
  }

  @Test func blocksAreFoundForScatteredRows() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let space = try writer.write { transaction in
        let space = try transaction.addSpace(
          name: "s", dimension: 8192)
        let image = try transaction.addImage(testImage("a"))
        let rows = try transaction.addCells(
          (0..<100).map { CellRecord(image: image, object: .index($0), geometry: nil) }, of: image)
        // Only every third cell has a vector: blocks between may be missing or have holes.
        for row in rows where row % 3 == 0 && !(40..<60).contains(row) {
          try [Float](repeating: Float(row), count: 8192).withUnsafeBufferPointer {
            try transaction.setVectors($0, of: [row], in: space)
          }
        }
        return space
      }
      try writer.database.read { snapshot in
        for wanted in [RowSet([0, 3, 4, 50, 99]), RowSet(38..<70), RowSet([99])] {
          var found: [Row] = []
          try snapshot.forEachBlock(of: space, containing: wanted) { block in
            let rows = block.wanted ?? RowSet(block.firstRow..<block.firstRow + Row(block.slotCount))
            for row in rows.toArray() {
              #expect(block.vector(of: row)[0] == Float(row))
              found.append(row)
            }
          }
          #expect(found == wanted.intersection(try snapshot.rows(in: space)).toArray())
        }
      }
    }
  }

  @Test func headsAreKeptByName() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      try writer.write {
        try $0.saveHead(HeadRecord(name: "h", space: 0, summary: "{}", weights: [1, 2, 3]))
      }
      try writer.write {
        try $0.saveHead(HeadRecord(name: "h", space: 0, summary: "{\"a\":1}", weights: [9]))
      }
      try writer.database.read { snapshot in
        try #expect(snapshot.heads().map(\.summary) == ["{\"a\":1}"])
        try #expect(snapshot.head(named: "h")?.weights == [9])
        try #expect(snapshot.head(named: "") == nil)
      }
    }
  }
}
