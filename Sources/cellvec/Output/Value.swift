import Formats
import Storage

/// One entry of a report.
enum Value: Sendable, Equatable {
  case text(String)
  case integer(Int)
  case real(Double)
  /// Has the decimal digits of the single-precision number: 0.9, not 0.8999999761581421.
  case single(Float)
  case list([String])
  case numbers([Double])
  case null

  static func real(_ number: Float) -> Value { .single(number) }
  static func text(_ text: String?) -> Value { text.map { .text($0) } ?? .null }
  static func real(_ number: Double?) -> Value { number.map { .real($0) } ?? .null }

  init(_ value: FieldValue?) {
    self =
      switch value {
      case .string(let text): .text(text)
      case .list(let texts): .list(texts)
      case .number(let number): .real(number)
      case nil: .null
      }
  }
}

extension Value {
  /// The value as delimited files and tables show it: full precision, lists as their `listText`, null as nothing.
  var plain: String {
    switch self {
    case .text(let text): text
    case .integer(let number): "\(number)"
    case .real(let number): formatNumber(number)
    case .single(let number): formatNumber(number)
    case .list(let texts): listText(texts)
    case .numbers(let numbers): numbers.map { formatNumber($0) }.joined(separator: ";")
    case .null: ""
    }
  }

  /// The value as JSON. Numbers that JSON cannot write are null.
  var json: String {
    switch self {
    case .text(let text): quotedJSON(text)
    case .integer(let number): "\(number)"
    case .real(let number): number.isFinite ? formatNumber(number) : "null"
    case .single(let number): number.isFinite ? formatNumber(number) : "null"
    case .list(let texts): "[\(texts.map(quotedJSON).joined(separator: ","))]"
    case .numbers(let numbers): "[\(numbers.map { Value.real($0).json }.joined(separator: ","))]"
    case .null: "null"
    }
  }
}
