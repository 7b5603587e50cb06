import Faults
import Identity
import Randomness
import TestSupport
import Testing

@testable import Storage

/// A database with images of cells that have a text, a list and a number each, and a vector of their row's number in
/// every space.
struct OperationsWorld {
  let writer: DatabaseWriter
  static let dimension = 2000  // 32 rows a block

  init(at path: String, images: Int = 4, cellsPerImage: Int = 30, spaces: [String] = ["s", "t"]) throws {
    writer = try DatabaseWriter(path: path, create: true)
    try writer.write { transaction in
      let gene = try transaction.field(named: "gene", type: .string).id
      let labels = try transaction.field(named: "labels", type: .list).id
      let dose = try transaction.field(named: "dose", type: .number).id
      let spaces = try spaces.map { try transaction.addSpace(name: $0, dimension: Self.dimension) }
      for number in 0..<images {
        let image = try transaction.addImage(Self.image("image\(number)"))
        let cells = (0..<cellsPerImage).map { index in
          CellRecord(
            image: image, object: .label(UInt32(index)), geometry: nil,
            values: [
              gene: .string("g\(number)"),
              labels: .list(["even", "odd"].filter { ($0 == "odd") == (index % 2 == 1) }),
              dose: .number(Double(index)),
            ])
        }
        let rows = try transaction.addCells(cells, of: image)
        for space in spaces {
          try Self.vectors(of: rows).withUnsafeBufferPointer {
            try transaction.setVectors($0, of: rows, in: space)
          }
          try transaction.setOutcome(
            IngestOutcome(found: rows.count, kept: rows.count, dropped: [:]), image: image, space: space)
        }
      }
    }
  }

  static func image(_ name: String) -> ImageRecord {
    ImageRecord(
      identity: ContentHash(of: name), name: name,
      files: [ChannelFile(role: "dna", path: "\(name).png", plane: 0)],
      width: 9, height: 9)
  }

  static func vectors(of rows: [Row]) -> [Float] {
    rows.flatMap { row in (0..<dimension).map { Float(row) + Float($0) / 4096 } }
  }

  /// Deletes cells and expects what remains to be sound, and to be what was there without them.
  func delete(_ rows: RowSet, forgetsImages: Bool = false) throws {
    let before = try writer.database.read { try $0.allRows() }
    try writer.database.read { try CellDeletion(of: rows, in: $0) }.run(
      on: writer, forgetsImages: forgetsImages)
    try writer.database.read { snapshot in
      #expect(snapshot.check() == [])
      let left = before.subtracting(rows)
      try #expect(snapshot.allRows() == left)
      for space in snapshot.spaces {
        try #expect(snapshot.rows(in: space) == left)
        try snapshot.forEachBlock(of: space, containing: left) { block in
          for row in block.rows {
            #expect(block.vector(of: row) == Self.vectors(of: [row]))
          }
        }
      }
    }
  }
}

@Suite struct DeletionTests {
  @Test func whatIsLeftIsWhatWasThereWithoutTheDeletedCells() throws {
    try withTemporaryDirectory { directory in
      let world = try OperationsWorld(at: "\(directory)/db")
      var generator = SeededGenerator(seed: 5)
      for _ in 0..<6 {
        try world.delete(RowSet((0..<20).map { _ in Row(generator.next() % 120) }))
      }
      try world.delete(RowSet(32..<64))
      try world.delete(RowSet(100..<5000))
      try world.delete(RowSet(0..<120))
      try world.writer.database.read { snapshot in
        for table in [Table.cells, .vectors, .sets, .numbers] {
          #expect(snapshot.transaction.count(table) == 0)
        }
        #expect(snapshot.imageCount() == 4)
        try #expect(snapshot.outcome(image: 3, space: snapshot.spaces[1]) != nil)
      }
    }
  }

  @Test func rowsAreNotUsedAgain() throws {
    try withTemporaryDirectory { directory in
      let world = try OperationsWorld(at: "\(directory)/db", images: 1)
      try world.delete(RowSet(10..<30))
      let rows = try world.writer.write { transaction in
        try transaction.addCells(
          [8, 20].map { CellRecord(image: 0, object: .label($0), geometry: nil) }, of: 0)
      }
      #expect(rows == [8, 30])
      try world.writer.database.read { snapshot in
        #expect(snapshot.check() == [])
        try #expect(snapshot.image(0)?.rows == [0..<31])
      }
    }
  }

  @Test func blocksEndBehindTheirLastVectorAndEmptyOnesGo() throws {
    try withTemporaryDirectory { directory in
      let world = try OperationsWorld(at: "\(directory)/db")
      let space = try world.writer.database.read { $0.spaces[0] }
      let layout = BlockLayout(dimension: OperationsWorld.dimension)
      try world.delete(RowSet(0..<32))
      try world.delete(RowSet(40..<64))
      try world.delete(RowSet([65]))
      try world.writer.database.read { snapshot in
        try #expect(snapshot.transaction.block(0, of: space.id, layout) == nil)
        try #expect(snapshot.transaction.block(1, of: space.id, layout)?.header.slotCount == 8)
        let block = try #require(try snapshot.transaction.block(2, of: space.id, layout))
        #expect(block.header.slotCount == 32)
        let vector = block.payload[layout.vectorByteCount..<2 * layout.vectorByteCount]
        #expect(vector.allSatisfy { $0 == 0 })
      }
    }
  }

  @Test func forgottenImagesAreIngestedAnew() throws {
    try withTemporaryDirectory { directory in
      let world = try OperationsWorld(at: "\(directory)/db")
      try world.delete(RowSet(0..<45), forgetsImages: true)
      try world.writer.database.read { snapshot in
        try #expect(snapshot.image(0) == nil)
        try #expect(snapshot.imageNumber(identity: ContentHash(of: "image0")) == nil)
        // Some of its cells are left: the image stays, as one that is not done.
        try #expect(snapshot.image(1)?.rows == [30..<60])
        for space in snapshot.spaces {
          try #expect(snapshot.outcome(image: 1, space: space) == nil)
          try #expect(snapshot.outcome(image: 2, space: space) != nil)
        }
      }
      let (image, rows) = try world.writer.write { transaction in
        let image = try transaction.addImage(OperationsWorld.image("image0"))
        return (
          image,
          try transaction.addCells([CellRecord(image: image, object: .whole, geometry: nil)], of: image)
        )
      }
      #expect(image == 4)
      #expect(rows == [120])
      try world.writer.database.read { snapshot in #expect(snapshot.check() == []) }
    }
  }

  @Test func aDeletionThatEndsEarlyLeavesASoundDatabase() throws {
    try withTemporaryDirectory { directory in
      let world = try OperationsWorld(
        at: "\(directory)/db", images: 1, cellsPerImage: 2_100, spaces: [])
      let deletion = try world.writer.database.read { try CellDeletion(of: $0.allRows(), in: $0) }
      #expect(throws: Fault.self) {
        try deletion.run(on: world.writer, forgetsImages: true, rowsPerCommit: 2_000) { count in
          #expect(count == 2_000)
          throw Fault(.cancelled, "", "stop")
        }
      }
      try world.writer.database.read { snapshot in
        #expect(snapshot.check() == [])
        try #expect(snapshot.allRows().count == 100)
      }
      try world.delete(RowSet(0..<30_000), forgetsImages: true)
      try world.writer.database.read { #expect($0.imageCount() == 0) }
    }
  }

  /// Sets are written by chunks of 65,536 rows; blocks of vectors lie in memory until their transaction is committed.
  @Test func aTransactionDeletesWholeChunksAndWritesFewBlocks() {
    func parts(_ rows: [Row], _ layouts: [BlockLayout], limit: Int) -> [Int] {
      var rest = rows[...]
      var counts: [Int] = []
      while !rest.isEmpty {
        counts.append(CellDeletion.part(of: rest, layouts, rowLimit: limit).count)
        rest = rest.dropFirst(counts[counts.count - 1])
      }
      return counts
    }
    let chunk = 65_536
    #expect(parts(Array(100..<Row(chunk + 50)), [], limit: chunk) == [chunk - 50])
    #expect(parts(Array(100..<Row(3 * chunk + 7)), [], limit: chunk) == [chunk - 100, chunk, chunk, 7])
    #expect(parts(Array(0..<10), [], limit: 4) == [4, 4, 2] && parts([], [], limit: 4) == [])
    // Every tenth row of blocks of 100 rows: 256 blocks have 2,560 of them, and a chunk 6,554.
    let layout = BlockLayout(dimension: 655)
    #expect(layout.rowsPerBlock == 100)
    let tenth = stride(from: 0, to: Row(chunk + 30_000), by: 10).map { $0 }
    #expect(parts(tenth, [layout], limit: chunk) == [2_560, 2_560, 1_434, 2_556, 444])
    #expect(parts(tenth, [layout, layout], limit: chunk).max() == 1_280)
    // More spaces than a transaction writes blocks: one block of each at a time.
    let wide = BlockLayout(dimension: SpaceRecord.dimensionLimit)
    #expect(parts(Array(0..<4), [BlockLayout](repeating: wide, count: 300), limit: chunk) == [3, 1])
    // The same of blocks of many rows.
    let narrow = BlockLayout(dimension: 3)
    #expect(narrow.rowsPerBlock == 21_840)
    let counts = parts(
      Array(0..<Row(chunk + 10)), [BlockLayout](repeating: narrow, count: 300), limit: chunk)
    #expect(counts == [21_840, 21_840, 21_840, 26])
  }
}
