import Filter

@testable import Storage

/// Metadata in a dictionary per row, as the oracle of filters.
struct MemoryIndex: FilterIndex {
  let fields: [Field]
  /// By field name; a missing name is null.
  let cells: [[String: FieldValue]]

  init(_ types: KeyValuePairs<String, FieldType>, cells: [[String: FieldValue]]) {
    fields = types.enumerated().map {
      Field(id: UInt16($0.offset), name: $0.element.key, type: $0.element.value)
    }
    self.cells = cells
  }

  func field(named name: String) -> Field? { fields.first { $0.name == name } }

  func allRows() -> RowSet { RowSet(0..<Row(cells.count)) }

  func rows(_ field: Field, equals text: String) -> RowSet {
    rows(of: field) { value in
      switch value {
      case .string(let own): own == text
      case .list(let own): own.contains(text)
      case .number: false
      }
    }
  }

  func rows(_ field: Field, from lower: NumberBound?, to upper: NumberBound?) -> RowSet {
    rows(of: field) { value in
      guard case .number(let number) = value else { return false }
      let isAbove = lower.map { number > $0.value || ($0.isInclusive && number == $0.value) } ?? true
      let isBelow = upper.map { number < $0.value || ($0.isInclusive && number == $0.value) } ?? true
      return isAbove && isBelow
    }
  }

  func rows(_ field: Field, among numbers: [Double]) -> RowSet {
    rows(of: field) { value in
      guard case .number(let number) = value else { return false }
      return numbers.contains(number)
    }
  }

  func rows(withValueIn field: Field) -> RowSet { rows(of: field) { _ in true } }

  private func rows(of field: Field, where matches: (FieldValue) -> Bool) -> RowSet {
    RowSet(cells.indices.filter { cells[$0][field.name].map(matches) ?? false }.map { Row($0) })
  }
}
