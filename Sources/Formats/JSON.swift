import FoundationEssentials

/// How names of properties are spelled in JSON. Keys of dictionaries are data, and stay as they are.
package enum JSONNames: Sendable {
  /// As Swift has them: macroF1.
  case declared
  /// As columns of tables are named: macro_f1.
  case snakeCase
}

/// The value as JSON on one line. Keys are sorted and slashes are not escaped: equal values are equal texts.
package func canonicalJSON(_ value: some Encodable, names: JSONNames = .declared) throws -> String {
  let encoder = JSONEncoder()
  if names == .snakeCase { encoder.keyEncodingStrategy = .convertToSnakeCase }
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}

/// The text as a JSON string, in its quotes. Escaped is only what JSON requires, by a letter where it has one:
/// as Rust's `serde_json` writes it.
package func quotedJSON(_ text: String) -> String {
  // Most texts have nothing to escape, and are looked at byte by byte.
  if text.utf8.allSatisfy({ $0 >= UInt8(ascii: " ") && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") })
  {
    return "\"" + text + "\""
  }
  var quoted = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": quoted += "\\\""
    case "\\": quoted += "\\\\"
    case "\u{8}": quoted += "\\b"
    case "\u{C}": quoted += "\\f"
    case "\n": quoted += "\\n"
    case "\r": quoted += "\\r"
    case "\t": quoted += "\\t"
    case "\0"..<" ":
      let digits = String(scalar.value, radix: 16)
      quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: quoted.unicodeScalars.append(scalar)
    }
  }
  return quoted + "\""
}
