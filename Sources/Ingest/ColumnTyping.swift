import Faults
import Formats
package import Storage

/// How the texts of one table column become values of a field.
package struct ColumnTyping: Sendable, Equatable {
  package let name: String
  package let type: FieldType
  /// Whether ";" alone stands between the items of a list, since the column has it somewhere: commas are then a part of
  /// a name. Else "|", and if there is none ",", does so too.
  let hasSemicolons: Bool

  init(name: String, type: FieldType, hasSemicolons: Bool = false) {
    self.name = name
    self.type = type
    self.hasSemicolons = hasSemicolons
  }

  /// Spellings of "no value" in a column of numbers, beside the empty text.
  private static let missingNumbers: Set<String> = ["na", "n/a", "nan", "null", "none", "-"]

  static func isMissingNumber(_ text: String) -> Bool { missingNumbers.contains(text.lowercased()) }

  /// Whether a text is a value of a column of numbers, or stands for none.
  static func isNumberOrMissing(_ text: UnsafeRawBufferPointer) -> Bool {
    if text.isEmpty || plainDecimalNumber(text) != nil { return true }
    let text = String(decoding: text, as: UTF8.self).trimmingSpaces
    return text.isEmpty || finiteNumber(text) != nil || isMissingNumber(text)
  }

  /// The value of one table cell; nil for an empty one.
  /// - Throws: `badData` when the text is no number in a column of numbers.
  func value(of text: String, at place: @autoclosure () -> String) throws -> FieldValue? {
    let text = text.trimmingSpaces
    if text.isEmpty { return nil }
    switch type {
    case .string: return .string(text)
    case .list:
      let separator: Character =
        hasSemicolons || text.contains(";") ? ";" : text.contains("|") ? "|" : ","
      let items = text.split(separator: separator).map { String($0).trimmingSpaces }.filter { !$0.isEmpty }
      return items.isEmpty ? nil : .list(items)
    case .number:
      if let number = finiteNumber(text) { return .number(number) }
      if ColumnTyping.isMissingNumber(text) { return nil }
      throw Fault(
        .badData, place(), expected: "a number in column \"\(name)\"", found: "\"\(text)\"",
        remedy: "correct it, or read the column as text with --type \(name)=string")
    }
  }
}

/// Finds out the type of a column from its texts: numbers when all are, lists when one holds ";", else strings.
///
/// Identifiers such as "007" are strings, since a number would lose their zeros, and such as "12345678901234567", of
/// which it would lose the last digits. Commas do not make a list: they occur in prose; `--type NAME=list` reads them.
struct ColumnInference {
  private var hasNumbers = false
  /// Whether a text was neither a number nor a spelling of none.
  private(set) var hasOthers = false
  private(set) var hasSemicolon = false

  mutating func observe(_ text: String) {
    let text = text.trimmingSpaces
    if text.isEmpty { return }
    if let number = finiteNumber(text), !hasPaddingZero(text), keepsDigits(of: text, number) {
      hasNumbers = true
    } else if !ColumnTyping.isMissingNumber(text) {
      hasOthers = true
      if text.utf8.contains(UInt8(ascii: ";")) { hasSemicolon = true }
    }
  }

  /// The same of a text's bytes, without a `String` of most texts.
  mutating func observe(_ text: UnsafeRawBufferPointer) {
    if hasOthers {
      // The type depends on nothing else any more.
      if !hasSemicolon { hasSemicolon = text.contains(UInt8(ascii: ";")) }
    } else if plainDecimalNumber(text) != nil {
      hasNumbers = true
    } else if !text.isEmpty {
      observe(String(decoding: text, as: UTF8.self))
    }
  }

  var type: FieldType { hasSemicolon ? .list : hasNumbers && !hasOthers ? .number : .string }

  private func hasPaddingZero(_ text: String) -> Bool {
    let digits = text.drop { $0 == "-" || $0 == "+" }.utf8
    return digits.count > 1 && digits.first == UInt8(ascii: "0")
      && digits.allSatisfy { (48...57).contains($0) }
  }

  /// Whether a whole number that is written out has all of its digits as a number; true of any other notation.
  private func keepsDigits(of text: String, _ number: Double) -> Bool {
    let digits = text.utf8.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
    guard digits.count > 15, digits.allSatisfy({ (48...57).contains($0) }) else { return true }
    if let whole = UInt64(String(digits) ?? "") { return UInt64(exactly: number.magnitude) == whole }
    return digits.reversed().drop { $0 == UInt8(ascii: "0") }.count <= 15
  }
}

/// A finite number in decimal notation; nil for anything else.
private func finiteNumber(_ text: String) -> Double? {
  decimalNumber(text).flatMap { $0.isFinite ? $0 : nil }
}

/// The name under which a table's column becomes a field: cytomining's "Metadata_" is dropped.
func fieldName(ofColumn column: String) -> String {
  let prefix = "Metadata_"
  return column.hasPrefix(prefix) && column.count > prefix.count
    ? String(column.dropFirst(prefix.count)) : column
}

/// Names that reports and exports give to columns of their own, which no field may take.
let reservedNames: Set = ["cell", "cell_count", "object", "query", "rank", "similarity"]

/// The types of a table's columns: as asked for, else as the database has the field, else as the texts look.
/// - Throws: `badData` when two columns would become one field, `usage` when a type is asked for that the
///   database's field does not have.
func columnTypings(
  _ columns: [String], asked: [String: FieldType], existing: [Field], inferred: [ColumnInference]
) throws -> [ColumnTyping] {
  var columnByName: [String: String] = [:]
  return try zip(columns, inferred).map { column, inference in
    let name = fieldName(ofColumn: column)
    if let other = columnByName.updateValue(column, forKey: name), !name.isEmpty {
      throw Fault(
        .badData, "columns \"\(other)\" and \"\(column)\"", "would both become the field \"\(name)\"",
        remedy: "rename or remove one of them")
    }
    let askedType = asked[name] ?? asked[column]
    let known = existing.first { $0.name == name }?.type
    if let askedType, let known, askedType != known {
      throw Fault(
        .usage, "--type \(name)=\(askedType.rawValue)", expected: "\(known.rawValue), as the database has it",
        found: askedType.rawValue, remedy: "leave it out, or give the column another name")
    }
    return ColumnTyping(
      name: name, type: askedType ?? known ?? inference.type, hasSemicolons: inference.hasSemicolon)
  }
}

/// - Throws: `usage` when a type is asked for that no column or group of these names can have.
func checkAskedTypes(_ asked: [String: FieldType], among columns: [String]) throws {
  let names = Set(columns + columns.map(fieldName(ofColumn:)))
  guard let unknown = asked.keys.sorted().first(where: { !names.contains($0) }) else { return }
  throw Fault(
    .usage, "--type \(unknown)", "names no column of a table and no group of a name pattern",
    remedy: columns.isEmpty ? "name a table with --metadata" : "there are: \(columns.joined(separator: ", "))"
  )
}
