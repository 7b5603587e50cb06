import Faults
import Glibc
import Randomness
import TestSupport
import Testing

@testable import Storage

@Suite struct RowNumbersTests {
  @Test func numbersAreThePlacesAmongTheCells() {
    var generator = SeededGenerator(seed: 3)
    for share in [0.02, 0.5, 0.98] {
      let rows = (0..<Row(200_000)).filter { _ in generator.uniform(in: 0...1) < share }
      let numbers = RowNumbers(RowSet(rows))
      #expect(Int(numbers.count) == rows.count)
      for (place, row) in rows.enumerated() where numbers[row] != Row(place) {
        Issue.record("row \(row) is not number \(place)")
        return
      }
      let members = Set(rows)
      for row in 0..<Row(1000) where !members.contains(row) { #expect(numbers[row] == nil) }
      for range in [0..<Row(7), 63..<65, 100..<100, 1000..<150_000, 199_990..<4_000_000] {
        let expected = rows.count { $0 < range.lowerBound }..<rows.count { $0 < range.upperBound }
        #expect(numbers[range] == Row(expected.lowerBound)..<Row(expected.upperBound))
      }
    }
  }

  @Test func cellsBeforeTheFirstGapKeepTheirs() {
    for (rows, expected) in [
      (RowSet(), 0), (RowSet([0]), 1), (RowSet([1]), 0), (RowSet(0..<64), 64), (RowSet(0..<130), 130),
      (RowSet(0..<70).subtracting(RowSet([66])), 66), (RowSet(0..<64).subtracting(RowSet([63])), 63),
    ] as [(RowSet, Row)] {
      #expect(RowNumbers(rows).unchangedCount == expected)
    }
  }
}

@Suite struct RenumberingTests {
  /// What a database holds by what its cells are, whatever their numbers.
  private struct Contents: Equatable {
    var cells: [String] = []
    var vectors: [String: [[Float]]] = [:]
    var outcomes: [IngestOutcome?] = []
    var texts: [String] = []
    var heads: [HeadRecord] = []

    init(of snapshot: borrowing Snapshot) throws {
      let rows = try snapshot.allRows().toArray()
      for row in rows {
        let found = try snapshot.cell(at: row)
        let cell = try #require(found)
        let values = cell.values.sorted { $0.key < $1.key }
        cells.append("\(cell.image) \(cell.object) \(String(describing: cell.geometry)) \(values)")
        for space in snapshot.spaces {
          vectors[space.name, default: []].append(try snapshot.vector(of: row, in: space) ?? [])
        }
      }
      for space in snapshot.spaces {
        for image in 0..<UInt32(snapshot.imageCount()) {
          outcomes.append(try snapshot.outcome(image: image, space: space))
        }
      }
      for field in snapshot.fields {
        texts += try snapshot.distinctTexts(field).map { "\(field.name) \($0.text) \($0.count)" }
      }
      heads = try snapshot.heads().compactMap { try snapshot.head(named: $0.name) }
    }
  }

  private func byteCount(_ path: String) -> Int {
    var status = stat()
    return stat("\(path)/data.mdb", &status) == 0 ? Int(status.st_size) : -1
  }

  /// A database of which every third cell is deleted, with a head, an index and cells without a vector in one space; closed.
  private func makeScattered(_ path: String, images: Int = 20) throws {
    let world = try OperationsWorld(at: path, images: images)
    let rowCount = Row(images * 30)
    try world.writer.write { transaction in
      try transaction.saveHead(HeadRecord(name: "h", space: 0, summary: "{}", weights: [1, 2]))
      _ = try transaction.appendCells(
        (0..<9).map { CellRecord(image: 2, object: .label(UInt32(100 + $0)), geometry: nil) }, of: 2)
    }
    let space = try world.writer.database.read { $0.spaces[0] }
    try putSmallIndex(of: space, in: world.writer)
    try world.writer.makeCoarse(of: space)
    let gone = RowSet((0..<rowCount + 9).filter { $0 % 3 == 1 })
    try world.writer.write { _ = try $0.deleteCells(gone) }
  }

  @Test func scatteredDeletionsAreGivenBack() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeScattered(path)
      let contents = try Database(path: path).read { try Contents(of: $0) }
      let plain = try DatabaseWriter.compact(path: path)
      #expect(plain.renumbered == 0 && plain.droppedIndexes.isEmpty)
      let compaction = try DatabaseWriter.compact(path: path, renumbers: true)
      // The first cell is the only one before a gap.
      #expect(compaction.renumbered == 405)
      #expect(compaction.droppedIndexes.map(\.name) == ["s"])
      #expect(compaction.droppedCopies.map(\.name) == ["s"])
      #expect(compaction.after == byteCount(path))
      #expect(compaction.after < plain.after * 72 / 100)
      #expect(access("\(path)/rebuilt", F_OK) != 0 && access("\(path)/data.mdb.compact", F_OK) != 0)
      try Database(path: path).read { snapshot in
        #expect(snapshot.check() == [])
        try #expect(snapshot.allRows() == RowSet(0..<406))
        try #expect(snapshot.rowLimit() == 406)
        try #expect(snapshot.image(0)?.rows == [0..<20])
        try #expect(snapshot.image(1)?.rows == [20..<40])
        try #expect(snapshot.image(2)?.rows == [40..<60, 400..<406])
        try #expect(snapshot.hasIndex(snapshot.spaces[0]) == false)
        try #expect(Contents(of: snapshot) == contents)
        let dose = try snapshot.requiredField(named: "dose")
        let rows = try snapshot.rows(dose, from: NumberBound(3, isInclusive: true), to: nil)
        for row in rows.toArray() {
          guard case .number(let number)? = try snapshot.cell(at: row)?.values[dose.id], number >= 3 else {
            Issue.record("cell \(row) has no dose of 3 or more")
            return
          }
        }
      }
    }
  }

  /// Numbers of transactions go on, and so do writers and readers that share the lock file.
  @Test func aRenumberedDatabaseGoesOn() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeScattered(path, images: 4)
      _ = try DatabaseWriter.compact(path: path, renumbers: true)
      let writer = try DatabaseWriter(path: path, create: false)
      for number in 0..<5 {
        let rows = try writer.write { transaction in
          try transaction.appendCells(
            [CellRecord(image: 0, object: .label(UInt32(1000 + number)), geometry: nil)], of: 0)
        }
        #expect(rows == 86 + Row(number)..<87 + Row(number))
        try writer.database.read { #expect($0.check() == []) }
      }
      // Known cells are found again under their new numbers.
      let cells = (0..<30).map { CellRecord(image: 1, object: .label(UInt32($0)), geometry: nil) }
      let rows = try writer.write { try $0.addCells(cells, of: 1) }
      #expect(rows.filter { $0 < 86 } == Array(20..<40))
      try writer.database.read { #expect($0.check() == []) }
    }
  }

  /// Of an index, and of one that is being built.
  @Test func flagsOfIndexesGoWithThem() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeScattered(path, images: 4)
      do {
        let writer = try DatabaseWriter(path: path, create: false)
        let space = try writer.database.read { $0.spaces[0] }
        let unfinished = UnfinishedIndex(
          dimension: space.dimension, seed: 0, listCount: 1, listsPerRow: 1, segment: 7, rowLimit: 1,
          rowCount: 1)
        try writer.write { try $0.setUnfinishedIndex(unfinished, of: space) }
        let flags = try writer.database.read { try $0.transaction.formatHeader().writerFlags }
        #expect(flags == ["index-2", "unfinished-index"])
      }
      _ = try DatabaseWriter.compact(path: path, renumbers: true)
      try Database(path: path).read { snapshot in
        try #expect(snapshot.transaction.formatHeader().writerFlags == [])
        #expect(snapshot.check() == [])
      }
    }
  }

  @Test func withoutGapsNothingIsRenumbered() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      do {
        let world = try OperationsWorld(at: path, images: 2)
        try putSmallIndex(of: world.writer.database.read { $0.spaces[0] }, in: world.writer)
      }
      let compaction = try DatabaseWriter.compact(path: path, renumbers: true)
      #expect(compaction.renumbered == 0 && compaction.droppedIndexes.isEmpty)
      try Database(path: path).read { snapshot in
        #expect(snapshot.check() == [])
        try #expect(snapshot.hasIndex(snapshot.spaces[0]))
      }
    }
  }

  /// Of a database without a cell, too.
  @Test func allCellsCanBeGone() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      do {
        let world = try OperationsWorld(at: path, images: 2)
        try world.writer.write { _ = try $0.deleteCells(RowSet(0..<60)) }
      }
      _ = try DatabaseWriter.compact(path: path, renumbers: true)
      let writer = try DatabaseWriter(path: path, create: false)
      let cell = CellRecord(image: 0, object: .label(5), geometry: nil)
      try #expect(writer.write { try $0.appendCells([cell], of: 0) } == 0..<1)
      try writer.database.read { #expect($0.check() == []) }
    }
  }

  /// Rows that contradict the cells are not taken for others.
  @Test func aSetWithAStrangerIsNamed() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/db"
      try makeScattered(path, images: 4)
      do {
        let writer = try DatabaseWriter(path: path, create: false)
        try writer.write { try $0.sets.insert(4, into: .hasValue(field: 0), $0.transaction) }
      }
      let before = byteCount(path)
      let fault = #expect(throws: Fault.self) { try DatabaseWriter.compact(path: path, renumbers: true) }
      #expect(fault?.kind == .badData && fault?.remedy == "run cellvec check --repair")
      #expect(byteCount(path) == before)
      #expect(access("\(path)/rebuilt", F_OK) != 0)
    }
  }
}
