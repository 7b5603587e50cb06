import Faults
import Identity
import Randomness
import TestSupport
import Testing

@testable import Storage

/// More rows than a chunk of a row set has, and than a chunk of numbers.
private let cellCount = 70_000

private let image = ImageRecord(identity: ContentHash(of: "v"), name: "v", files: [], width: 0, height: 0)

/// Values of some cells as columns, and cell by cell.
private struct Values {
  let texts: [FieldValue?] = [.string("a"), nil, .string("b"), .string("c")]
  let lists: [FieldValue?] = [.list(["x", "y"]), .list(["y"]), nil, .list(["y", "z", "y"])]
  let mixed: [FieldValue?] = [.number(7), nil]
  let textNumbers: [UInt32]
  let listNumbers: [UInt32]
  let mixedNumbers: [UInt32]
  let numbers: [Double]

  init(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    func draw(_ count: UInt32) -> [UInt32] {
      (0..<cellCount).map { _ in UInt32.random(in: 0..<count, using: &generator) }
    }
    textNumbers = draw(4)
    listNumbers = draw(4)
    mixedNumbers = draw(2)
    // None in the second chunk of numbers.
    numbers = draw(9).enumerated().map { $1 == 0 || (8189..<16_378).contains($0) ? .nan : Double($1) / 3 }
  }

  func run(_ fields: [UInt16]) -> [FieldRun] {
    [
      FieldRun(field: fields[3], values: .choices(mixed, numbers: mixedNumbers)),
      FieldRun(field: fields[0], values: .choices(texts, numbers: textNumbers)),
      FieldRun(field: fields[1], values: .choices(lists, numbers: listNumbers)),
      FieldRun(field: fields[2], values: .numbers(numbers)),
    ]
  }

  func records(_ fields: [UInt16], of image: UInt32, from first: Int) -> [CellRecord] {
    (0..<cellCount).map { index in
      var values: [UInt16: FieldValue] = [:]
      values[fields[0]] = texts[Int(textNumbers[index])]
      values[fields[1]] = lists[Int(listNumbers[index])]
      values[fields[2]] = numbers[index].isNaN ? nil : .number(numbers[index])
      values[fields[3]] = mixed[Int(mixedNumbers[index])]
      return CellRecord(image: image, object: .index(UInt32(first + index)), geometry: nil, values: values)
    }
  }
}

extension WriteTransaction {
  fileprivate mutating func fields() throws -> [UInt16] {
    try [("text", .string), ("list", .list), ("number", .number), ("mixed", .number)].map {
      try field(named: $0, type: $1).id
    }
  }
}

@Suite struct CellRunTests {
  @Test func cellsAppendedByFieldAreThoseAppendedOneByOne() throws {
    try withTemporaryDirectory { directory in
      let byField = try DatabaseWriter(path: "\(directory)/a", create: true)
      let oneByOne = try DatabaseWriter(path: "\(directory)/b", create: true)
      for part in 0..<2 {
        let values = Values(seed: UInt64(part))
        let first = part * cellCount
        try byField.write { transaction in
          let number = try transaction.addImage(image)
          let fields = try transaction.fields()
          let rows = try transaction.appendCells(
            at: UInt32(first)..<UInt32(first + cellCount), of: number, values.run(fields))
          #expect(rows == Row(first)..<Row(first + cellCount))
        }
        try oneByOne.write { transaction in
          let number = try transaction.addImage(image)
          let fields = try transaction.fields()
          _ = try transaction.appendCells(values.records(fields, of: number, from: first), of: number)
        }
      }
      let contents = try [byField, oneByOne].map { writer in
        try writer.database.read { snapshot in
          #expect(snapshot.check() == [])
          return try DatabaseContents(of: snapshot)
        }
      }
      #expect(contents[0] == contents[1])
      #expect(contents[0].cells.count == 2 * cellCount)
    }
  }

  @Test func aRunOfValuesIsTheValuesOfItsParts() {
    let values = Values(seed: 3)
    for run in values.run([0, 1, 2, 3]) {
      let part = run[500..<700]
      #expect(part.count == 200)
      for index in 0..<200 { #expect(part[index] == run[500 + index]) }
    }
  }

  @Test func aNumberThatIsNotFiniteIsRefusedAndLeavesNothing() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let fault = #expect(throws: Fault.self) {
        try writer.write { transaction in
          let number = try transaction.addImage(image)
          let field = try transaction.fields()[2]
          _ = try transaction.appendCells(
            at: 0..<2, of: number, [FieldRun(field: field, values: .numbers([1, .infinity]))])
        }
      }
      #expect(fault?.kind == .badData)
      try writer.database.read { snapshot in try #expect(snapshot.rowLimit() == 0) }
    }
  }

  @Test func onlyWhatComesBehindAllOthersIsAppended() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let fault = #expect(throws: Fault.self) {
        try writer.write { transaction in
          let cursor = try Transaction.Cursor(transaction.transaction, .texts)
          for key in [[1, 1], [1, 2], [1, 2]] as [[UInt8]] {
            try key.withUnsafeBytes { try cursor.append($0, $0) }
          }
        }
      }
      #expect(fault?.problem.hasPrefix("cannot append to table \"texts\"") == true)
    }
  }

  /// Rows that follow one another, that skip some, and that have vectors already, over several blocks.
  @Test func vectorsOfAnyRowsReplaceThoseThatWereThere() throws {
    let dimension = 700
    let rowsPerBlock = SpaceRecord.rowsPerBlock(dimension: dimension)
    let rowCount = 4 * rowsPerBlock
    var generator = SeededGenerator(seed: 5)
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let space = try writer.write { transaction in
        let number = try transaction.addImage(image)
        _ = try transaction.appendCells(at: 0..<UInt32(rowCount), of: number, [])
        return try transaction.addSpace(name: "s", dimension: dimension)
      }
      var expected: [Row: Float] = [:]
      for round in 0..<12 {
        try writer.write { transaction in
          for _ in 0..<3 {
            let start = Int.random(in: 0..<rowCount, using: &generator)
            let end = Int.random(in: start...rowCount, using: &generator)
            let step = round.isMultiple(of: 3) ? 2 : 1
            let rows = stride(from: start, to: end, by: step).map { Row($0) }
            let values = rows.map { Float($0) + Float(round) / 16 }
            let vectors = values.flatMap { repeatElement($0, count: dimension) }
            try vectors.withUnsafeBufferPointer {
              if step == 1, round.isMultiple(of: 2) {
                try transaction.setVectors($0, of: Row(start)..<Row(end), in: space)
              } else {
                try transaction.setVectors($0, of: rows, in: space)
              }
            }
            for (row, value) in zip(rows, values) { expected[row] = value }
          }
        }
        try writer.database.read { snapshot in
          #expect(snapshot.check() == [])
          try #expect(snapshot.rows(in: space) == RowSet(expected.keys))
          for (row, value) in expected {
            try #expect(
              snapshot.vector(of: row, in: space) == Array(repeating: value, count: dimension))
          }
        }
      }
    }
  }
}
