import Storage

/// What a field of a filter is in a database.
enum BoundField {
  case stored(Field)
  case property(CellProperty)

  var type: FieldType {
    switch self {
    case .stored(let field): field.type
    case .property: .number
    }
  }
}

/// A test whose field was found and whose values have the field's type.
enum BoundTest {
  case isNull(BoundField)
  /// `=`, IN, HAS and HAS ANY.
  case anyText(Field, [String])
  /// HAS ALL.
  case allTexts(Field, [String])
  case like(Field, LikePattern)
  case range(BoundField, from: NumberBound?, to: NumberBound?)
  case anyNumber(BoundField, [Double])

  private var field: BoundField {
    switch self {
    case .anyText(let field, _), .allTexts(let field, _), .like(let field, _): .stored(field)
    case .isNull(let field), .range(let field, _, _), .anyNumber(let field, _): field
    }
  }
}

extension BoundTest {
  /// The rows for which the test is true or, when `truth` is false, those for which it is false. Cells without a
  /// value in the field are in neither, but for IS NULL.
  func rows(being truth: Bool, in index: borrowing some FilterIndex & ~Copyable) throws -> RowSet {
    if case .isNull(let field) = self {
      let known = try Self.rows(withValueIn: field, of: index)
      return truth ? try index.allRows().subtracting(known) : known
    }
    let matching = try matchingRows(in: index)
    return truth ? matching : try Self.rows(withValueIn: field, of: index).subtracting(matching)
  }

  private func matchingRows(in index: borrowing some FilterIndex & ~Copyable) throws -> RowSet {
    switch self {
    case .anyText(let field, let texts):
      return try index.rows(field, among: texts)
    case .allTexts(let field, let texts):
      // Every cell with a list has all of no texts.
      guard let first = texts.first else { return try index.rows(withValueIn: field) }
      var rows = try index.rows(field, equals: first)
      for text in texts.dropFirst() where !rows.isEmpty {
        rows = rows.intersection(try index.rows(field, equals: text))
      }
      return rows
    case .like(let field, let pattern):
      return try index.rows(field) { pattern.matches($0) }
    case .range(.stored(let field), let lower, let upper):
      return try index.rows(field, from: lower, to: upper)
    case .range(.property(.row), let lower, let upper):
      let all = try index.allRows()
      guard let last = all.last else { return all }
      // A set of rows far beyond the last would be long to make.
      return all.intersection(RowSet(Range(from: lower, to: upper).clamped(to: 0..<last + 1)))
    case .range(.property(let property), let lower, let upper):
      return try index.rows(property) { lower.isBelow($0) && upper.isAbove($0) }
    case .anyNumber(.stored(let field), let numbers):
      return try index.rows(field, among: numbers)
    case .anyNumber(.property(.row), let numbers):
      return try index.allRows().intersection(RowSet(numbers.compactMap { Row(exactly: $0) }))
    case .anyNumber(.property(let property), let numbers):
      let wanted = Set(numbers)
      return try index.rows(property) { wanted.contains($0) }
    case .isNull:
      preconditionFailure("IS NULL is answered from the rows with a value")
    }
  }

  private static func rows(
    withValueIn field: BoundField, of index: borrowing some FilterIndex & ~Copyable
  ) throws -> RowSet {
    switch field {
    case .stored(let field): try index.rows(withValueIn: field)
    case .property(.row): try index.allRows()
    case .property(let property): try index.rows(property) { _ in true }
    }
  }
}

extension Range<Row> {
  /// The rows within two bounds, which are finite.
  fileprivate init(from lower: NumberBound?, to upper: NumberBound?) {
    /// The first row at or after a number, or only after it.
    func row(from number: Double, isAfter: Bool) -> Row {
      let first = isAfter ? number.rounded(.down) + 1 : number.rounded(.up)
      return Row(Swift.min(Swift.max(first, 0), Double(Row.max)))
    }
    let start = lower.map { row(from: $0.value, isAfter: !$0.isInclusive) } ?? 0
    let end = upper.map { row(from: $0.value, isAfter: $0.isInclusive) } ?? .max
    self = start..<Swift.max(start, end)
  }
}

extension NumberBound? {
  fileprivate func isBelow(_ number: Double) -> Bool {
    map { $0.isInclusive ? $0.value <= number : $0.value < number } ?? true
  }

  fileprivate func isAbove(_ number: Double) -> Bool {
    map { $0.isInclusive ? number <= $0.value : number < $0.value } ?? true
  }
}
