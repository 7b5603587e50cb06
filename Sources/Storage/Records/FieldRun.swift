import Faults

/// The values that cells which follow one another have in one field.
package struct FieldRun: Sendable {
  package enum Values: Sendable {
    /// A number for each cell, NaN for no value.
    case numbers([Double])
    /// The values that occur, nil for none, and for each cell which of them it has.
    case choices([FieldValue?], numbers: [UInt32])
  }

  package let field: UInt16
  package let values: Values

  package init(field: UInt16, values: Values) {
    self.field = field
    self.values = values
  }

  package var count: Int {
    switch values {
    case .numbers(let numbers): numbers.count
    case .choices(_, let numbers): numbers.count
    }
  }

  /// The value of one cell; nil for none.
  package subscript(index: Int) -> FieldValue? {
    switch values {
    case .numbers(let numbers): numbers[index].isNaN ? nil : .number(numbers[index])
    case .choices(let choices, let numbers): choices[Int(numbers[index])]
    }
  }

  /// The values of some of the cells.
  package subscript(range: Range<Int>) -> FieldRun {
    if range == 0..<count { return self }
    let values: Values =
      switch self.values {
      case .numbers(let numbers): .numbers(Array(numbers[range]))
      case .choices(let choices, let numbers): .choices(choices, numbers: Array(numbers[range]))
      }
    return FieldRun(field: field, values: values)
  }
}
