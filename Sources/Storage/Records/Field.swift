/// The type of a metadata field; fixed when the field is first written.
package enum FieldType: String, Sendable, Codable, CaseIterable {
  /// One text per cell.
  case string
  /// A set of texts per cell, such as several localizations. Order is kept, duplicates are dropped.
  case list
  /// One finite 64-bit floating-point number per cell.
  case number
}

/// A named, typed column of metadata. A cell without a value in a field is *null* there.
package struct Field: Sendable, Equatable {
  /// The field's dense number inside its database.
  package let id: UInt16
  package internal(set) var name: String
  package let type: FieldType
}

extension Field {
  /// The field in which ingest keeps the name of each cell's image.
  package static let imageName = "image"

  /// What to do where it is asked for and missing: imported cells have it from their table only.
  package static let adviceOnMissingImage =
    "imported cells have it where the table of --metadata has a column image; import the array again with one"
}

/// A cell's value in one field. Texts are equal when their bytes are, unlike Swift's strings, of which two that spell a letter
/// differently (é as one code point, or as e with an accent) are equal.
package enum FieldValue: Sendable, Equatable {
  case string(String)
  case list([String])
  case number(Double)

  package static func == (left: FieldValue, right: FieldValue) -> Bool {
    switch (left, right) {
    case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
    case (.list(let left), .list(let right)):
      left.elementsEqual(right) { $0.utf8.elementsEqual($1.utf8) }
    case (.number(let left), .number(let right)): left == right
    default: false
    }
  }

  package var type: FieldType {
    switch self {
    case .string: .string
    case .list: .list
    case .number: .number
    }
  }
}

extension FieldValue: CustomStringConvertible {
  /// The value as a table shows it: lists as their `listText`, whole numbers without a fraction.
  package var description: String {
    switch self {
    case .string(let text): text
    case .list(let texts): listText(texts)
    case .number(let number): formatNumber(number)
    }
  }
}

/// A list as one text of a table, from which the same list is read: its items joined by ";". An only item with "," or "|"
/// has ";" behind it, since a text without any could be read as several items.
package func listText(_ items: [String]) -> String {
  guard items.count == 1,
    items[0].utf8.contains(where: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "|") })
  else { return items.joined(separator: ";") }
  return items[0] + ";"
}

/// The shortest text that reads back as the same number; whole numbers without ".0".
package func formatNumber(_ number: Double) -> String {
  number == number.rounded() && abs(number) < 1e15 ? String(Int64(number)) : String(number)
}

/// The same of a single-precision number: 0.9, not 0.8999999761581421.
package func formatNumber(_ number: Float) -> String {
  // Those that have a fraction are below the numbers that it writes with an exponent.
  number == number.rounded() ? formatNumber(doubleOfDigits(number)) : number.description
}

/// The number whose decimal digits are those of the single-precision one.
package func doubleOfDigits(_ number: Float) -> Double { Double(number.description) ?? Double(number) }
