import Faults
import Formats
import Storage

/// The table beside an imported array, as a first reading of all of it found it.
struct ImportTable: Sendable {
  let path: String
  let columns: [String]
  private let surveys: [ColumnSurvey]
  private let asked: [String: FieldType]

  /// What a column holds.
  private struct ColumnSurvey {
    var inference = ColumnInference()
    /// The first text that is no number and stands for none, and its line.
    private(set) var other: (text: String, line: Int)?

    mutating func observe(_ text: UnsafeRawBufferPointer, line: Int) {
      inference.observe(text)
      // Identifiers such as "007" are no numbers by themselves, but can be read as such.
      if other == nil, inference.hasOthers, !ColumnTyping.isNumberOrMissing(text) {
        other = (String(decoding: text, as: UTF8.self), line)
      }
    }
  }

  /// Rows that are read at a time.
  private static let rowsPerReading = 4096

  /// Reads the table.
  /// - Parameters:
  ///   - rowCount: vectors of the array at `array`.
  ///   - asked: types of columns that are not to be guessed.
  ///   - existing: the database's fields.
  /// - Throws: `badData` for a table that cannot be read or has another number of rows, and for a text in a column of
  ///   numbers; `usage` for a type that does not fit.
  init(
    path: String, rowCount: Int, of array: String, asked: [String: FieldType], existing: [Field]
  ) throws {
    var reader = try CSVReader(path: path)
    var surveys = reader.columns.map { _ in ColumnSurvey() }
    var rows = CSVRows()
    var found = 0
    repeat {
      rows.removeAll()
      try reader.read(Self.rowsPerReading, into: &rows)
      rows.withUnsafeFields { bytes, bounds in
        for (row, line) in rows.lines.enumerated() {
          for column in surveys.indices {
            let text = UnsafeRawBufferPointer(rebasing: bytes[bounds[row * surveys.count + column]])
            surveys[column].observe(text, line: line)
          }
        }
      }
      found += rows.count
    } while rows.count > 0
    guard found == rowCount else {
      throw Fault(
        .badData, path, expected: "\(rowCount) rows, one for each vector of \(array)", found: "\(found)",
        remedy: "give one row for each vector, in the same order")
    }
    try checkAskedTypes(asked, among: reader.columns)
    self.path = path
    columns = reader.columns
    self.surveys = surveys
    self.asked = asked
    _ = try fields(existing: existing)
  }

  /// The fields that the columns become; nil for those that become none.
  /// - Throws: `badData` and `usage` as `init` does.
  func fields(existing: [Field]) throws -> [ColumnTyping?] {
    let typings = try columnTypings(
      columns, asked: asked, existing: existing, inferred: surveys.map(\.inference))
    return try zip(typings, surveys).map { typing, survey in
      if typing.name.isEmpty || reservedNames.contains(typing.name) { return nil }
      if typing.type == .number, let other = survey.other {
        _ = try typing.value(of: other.text, at: "\(path) line \(other.line)")
      }
      return typing
    }
  }

  /// Columns that become no field, since reports have columns of these names.
  var skippedColumns: [String] { columns.filter { reservedNames.contains(fieldName(ofColumn: $0)) } }
}

/// Reads the values of a table's rows, in pieces, on whatever thread; one piece at a time.
///
/// Unchecked: nothing but `next` changes after `init`, and whoever calls it waits for it to end before calling it again.
final class ImportTableReader: @unchecked Sendable {
  private let fields: [ColumnTyping?]
  private var reader: CSVReader
  private var rows = CSVRows()

  init(_ table: ImportTable, fields: [ColumnTyping?]) throws {
    self.fields = fields
    reader = try CSVReader(path: table.path)
  }

  /// The values of the next rows by column; nil for columns that become no field.
  /// - Throws: `badData` when the rows are not what they were when the table was read first.
  func next(_ count: Int) throws -> [FieldRun.Values?] {
    rows.removeAll()
    try reader.read(count, into: &rows)
    guard rows.count == count, reader.columns.count == fields.count else {
      throw Fault(
        .badData, reader.name, "has changed since it was read first", remedy: "run the command again")
    }
    return try rows.withUnsafeFields { bytes, bounds in
      try fields.enumerated().map { (column, typing) -> FieldRun.Values? in
        guard let typing else { return nil }
        func text(_ row: Int) -> UnsafeRawBufferPointer {
          UnsafeRawBufferPointer(rebasing: bytes[bounds[row * fields.count + column]])
        }
        return typing.type == .number ? try numbers(of: typing, text) : try choices(of: typing, text)
      }
    }
  }

  private func numbers(
    of typing: ColumnTyping, _ text: (_ row: Int) -> UnsafeRawBufferPointer
  ) throws -> FieldRun.Values {
    var numbers: [Double] = []
    numbers.reserveCapacity(rows.count)
    for row in 0..<rows.count {
      let text = text(row)
      if let number = plainDecimalNumber(text) {
        numbers.append(number)
      } else if case .number(let number)? = try value(of: text, typing, row) {
        numbers.append(number)
      } else {
        numbers.append(.nan)
      }
    }
    return .numbers(numbers)
  }

  private func choices(
    of typing: ColumnTyping, _ text: (_ row: Int) -> UnsafeRawBufferPointer
  ) throws -> FieldRun.Values {
    var numbering = TextNumbering()
    let numbers = (0..<rows.count).map { numbering.number(of: text($0)) }
    return .choices(try numbering.texts.map { try typing.value(of: $0, at: reader.name) }, numbers: numbers)
  }

  private func value(of text: UnsafeRawBufferPointer, _ typing: ColumnTyping, _ row: Int) throws
    -> FieldValue?
  {
    try typing.value(
      of: String(decoding: text, as: UTF8.self), at: "\(reader.name) line \(rows.lines[row])")
  }
}
