import Faults
import Identity
import Randomness
import TestSupport
import Testing

@testable import Storage

@Suite struct RowSetTests {
  /// Rows of several chunks: few, many and all of a chunk, and its ends.
  private func randomRows(using generator: inout SeededGenerator) -> Set<Row> {
    var rows: Set<Row> = [0, 65_535, 65_536, 131_071]
    let ranges: [(Range<Row>, Double)] = [
      (0..<65_536, 0.01), (65_536..<131_072, 0.3), (196_608..<262_144, 1), (400_000..<400_100, 0.5),
    ]
    for (range, share) in ranges {
      rows.formUnion(range.filter { _ in share == 1 || generator.uniform(in: 0...1) < share })
    }
    return rows
  }

  @Test func aRangeIsContainedWhenAllOfItsRowsAre() {
    var generator = SeededGenerator(seed: 2)
    let rows = RowSet(randomRows(using: &generator))
    var starts: [Row] = [0, 65_535, 65_536, 196_608, 262_143, 400_000]
    starts += (0..<2_000).map { _ in Row(generator.uniform(in: 0...400_200)) }
    for start in starts {
      for length in [1, 2, 3, 170, 65_536, 65_537] as [Row] {
        let range = start..<start + length
        #expect(rows.contains(range) == (rows.count(in: range) == range.count), "\(range)")
      }
    }
  }

  @Test func setsCombineAsTheirRowsDo() {
    var generator = SeededGenerator(seed: 4)
    let (one, other) = (randomRows(using: &generator), randomRows(using: &generator))
    let pairs: [(Set<Row>, Set<Row>)] = [
      (one, other), (one, one), (one, []), ([], one), (one, one.union([1_000_000])), ([], []),
    ]
    for (left, right) in pairs {
      #expect(RowSet(left).intersection(RowSet(right)) == RowSet(left.intersection(right)))
      #expect(RowSet(left).subtracting(RowSet(right)) == RowSet(left.subtracting(right)))
    }
    // What is shared with another set is not changed with it.
    let rows = RowSet(one)
    var both = rows.intersection(rows)
    both.insert(1_000_000)
    #expect(rows == RowSet(one) && both == RowSet(one.union([1_000_000])))
  }

  @Test func storedChunksMakeTheSetAgain() throws {
    var generator = SeededGenerator(seed: 1)
    let rows = randomRows(using: &generator)
    var assembled = JoinedChunks()
    var bits = RowBits()
    for chunk in Set(rows.map { UInt16($0 >> 16) }).sorted() {
      let part = RowSet(rows.filter { $0 >> 16 == chunk })
      try part.encoded().withUnsafeBytes { bytes in
        let stored = try #require(StoredChunk(bytes, chunk: chunk))
        #expect(stored.count == part.count)
        let (once, twice) = (assembled.append(stored), assembled.append(stored))
        #expect(once && !twice)
        bits.formUnion(stored)
        #expect(RowSet(decoding: bytes, chunk: chunk) == part)
      }
    }
    #expect(assembled.rowSet() == RowSet(rows))
    #expect(bits.rowSet() == RowSet(rows))
    #expect(JoinedChunks().rowSet().isEmpty && RowBits().rowSet().isEmpty)
    #expect(AscendingRowBits().rowSet().isEmpty)
  }

  @Test func bitsOfEveryRowAreSet() throws {
    var generator = SeededGenerator(seed: 3)
    var sets = [RowSet(), RowSet([0]), RowSet(0..<70_000), RowSet(randomRows(using: &generator))]
    // Of the last chunk, which is full, the words end before its container does.
    sets.append(RowSet((0..<65_600).filter { $0 % 7 != 3 } + Array(65_600..<75_000)))
    for rows in sets {
      var words = [UInt64](repeating: 0, count: Int(rows.last ?? 0) / 64 + 1)
      words.withUnsafeMutableBufferPointer { rows.setBits(in: $0) }
      var found: [Row] = []
      for (index, word) in words.enumerated() {
        forEachBit(of: word) { found.append(Row(index * 64 + $0)) }
      }
      #expect(found == rows.toArray())
    }
  }

  @Test func bitsAreInsertedAtAnyRow() {
    var generator = SeededGenerator(seed: 2)
    var rows = AscendingRowBits()
    var expected: Set<Row> = []
    // Chunks of number columns start at multiples of 8,189; words and chunks of a row set begin at some of these.
    for firstRow in [0, 8_192, 57_330, 65_522, 131_008, 139_200, 196_608, 16_777_215] as [Row] {
      let words = (0..<128).map { _ in generator.next() & generator.next() }
      words.withUnsafeBufferPointer { rows.insert($0, from: firstRow) }
      for (index, word) in words.enumerated() {
        for bit in 0..<64 where word >> UInt64(bit) & 1 == 1 {
          expected.insert(firstRow + Row(index * 64 + bit))
        }
      }
    }
    #expect(rows.rowSet() == RowSet(expected))
  }

  @Test func aChunkThatLiesAboutItsRowsIsNone() {
    let sound = RowSet([65_536, 65_540, 70_000]).encoded()
    func isChunk(_ change: (inout [UInt8]) -> Void) -> Bool {
      var bytes = sound
      change(&bytes)
      return bytes.withUnsafeBytes { StoredChunk($0, chunk: 1) } != nil
    }
    #expect(isChunk { _ in })
    for length in 0..<sound.count { #expect(!isChunk { $0.removeLast($0.count - length) }) }
    #expect(!isChunk { $0[10] += 1 }, "one row more than there are")
    #expect(!isChunk { $0[16] = 5 }, "out of order")
    #expect(!isChunk { $0[18] = 0 }, "a row twice")
    #expect(!isChunk { $0[8] = 2 }, "of another chunk")
  }
}

@Suite struct PendingSetTests {
  @Test func runsAndListsOfRowsAreTheirRowsInEveryChunk() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let runs: [Range<Row>] = [0..<1, 60_000..<200_000, 65_536..<131_072, 200_000..<200_000]
      let lists: [[Row]] = [[], [5], [65_535, 65_536, 131_071, 131_072, 300_000], [.max - 1]]
      try writer.write { transaction in
        var sets = PendingSets()
        for run in runs { try sets.insert(run, into: .space(1), transaction.transaction) }
        for list in lists {
          try list.withUnsafeBufferPointer { try sets.insert($0, into: .space(2), transaction.transaction) }
        }
        try sets.flush(to: transaction.transaction)
      }
      try writer.database.read { snapshot in
        try #expect(snapshot.transaction.rowSet(.space(1)) == RowSet(runs.flatMap { Array($0) }))
        try #expect(snapshot.transaction.rowSet(.space(2)) == RowSet(lists.flatMap { $0 }))
      }
    }
  }
}

@Suite struct MetadataReadingTests {
  /// More rows than a chunk of a row set has, and numbers in many chunks of a column.
  @Test func setsOfManyChunksEqualBruteForce() throws {
    let count = 140_000
    func value(of row: Int) -> (gene: Int, dose: Double)? {
      row % 11 == 0 ? nil : (row * 7 % 300, Double(row * 13 % 1000))
    }
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      try writer.write { transaction in
        let gene = try transaction.field(named: "gene", type: .string)
        let dose = try transaction.field(named: "dose", type: .number)
        let image = try transaction.addImage(
          ImageRecord(identity: ContentHash(of: "a"), name: "a", files: [], width: 0, height: 0))
        let cells = (0..<count).map { row in
          let values = value(of: row)
          return CellRecord(
            image: image, object: .index(UInt32(row)), geometry: nil,
            values: values.map { [gene.id: .string("g\($0.gene)"), dose.id: .number($0.dose)] } ?? [:])
        }
        _ = try transaction.appendCells(cells, of: image)
      }
      try writer.database.read { snapshot in
        let (gene, dose) = (snapshot.fields[0], snapshot.fields[1])
        func expected(_ matches: (Int, Double) -> Bool) -> RowSet {
          RowSet(
            (0..<count).filter { value(of: $0).map { matches($0.gene, $0.dose) } ?? false }.map { Row($0) })
        }
        try #expect(snapshot.rows(gene, equals: "g7") == expected { gene, _ in gene == 7 })
        try #expect(
          snapshot.rows(gene, among: ["g7", "none", "g299", "g7"])
            == expected { gene, _ in gene == 7 || gene == 299 })
        try #expect(snapshot.rows(gene, among: [] as [String]).isEmpty)
        try #expect(snapshot.texts(of: gene, atMost: 300)?.sorted() == (0..<300).map { "g\($0)" }.sorted())
        try #expect(snapshot.texts(of: gene, atMost: 299) == nil && snapshot.texts(of: dose, atMost: 0) == [])
        try #expect(snapshot.rows(gene) { $0.count == 2 } == expected { gene, _ in gene < 10 })
        try #expect(
          snapshot.rows(
            dose, from: NumberBound(3, isInclusive: false), to: NumberBound(700, isInclusive: true))
            == expected { _, dose in dose > 3 && dose <= 700 })
        try #expect(
          snapshot.rows(dose, among: [-1, 999, 5, 5, 12])
            == expected { _, dose in [5, 12, 999].contains(dose) })
        try #expect(snapshot.rows(dose, among: [] as [Double]).isEmpty)
        try #expect(snapshot.rows(withValueIn: dose) == expected { _, _ in true })
        try #expect(snapshot.rows(.row) { $0 >= 139_998 }.toArray() == [139_998, 139_999])
        try #expect(snapshot.rows(.area) { _ in true }.isEmpty)
      }
    }
  }
}
