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

  func allRows() -> RowSet { RowSet(0..<Row(cells.count)) }

  func rows(_ field: Field, equals text: String) -> RowSet { rows(field, among: [text]) }

  func rows(_ field: Field, among texts: [String]) -> RowSet {
    let wanted = texts.map { Array($0.utf8) }
    return rows(field) { wanted.contains(Array($0)) }
  }

  func rows(_ field: Field, whereText isWanted: (UnsafeRawBufferPointer) -> Bool) -> RowSet {
    rows(of: field) { value in
      switch value {
      case .string(let own): Array(own.utf8).withUnsafeBytes(isWanted)
      case .list(let own): own.contains { Array($0.utf8).withUnsafeBytes(isWanted) }
      case .number: false
      }
    }
  }

  func texts(of field: Field, atMost limit: Int) -> [String]? {
    let texts = Set(
      cells.flatMap { cell -> [String] in
        switch cell[field.name] {
        case .string(let own): [own]
        case .list(let own): own
        case .number, nil: []
        }
      })
    return texts.count > limit ? nil : Array(texts)
  }

  /// Cells of this index have no place in an image.
  func rows(_ property: CellProperty, where isWanted: (Double) -> Bool) -> RowSet {
    RowSet(cells.indices.filter { property == .row && isWanted(Double($0)) }.map { Row($0) })
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
