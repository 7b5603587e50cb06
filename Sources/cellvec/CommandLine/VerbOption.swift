import ArgumentParser
import Faults
import Formats

/// An option or flag of a verb, as the parser knows it.
struct VerbOption {
  /// With their dashes: "-k" and "--limit".
  let names: [String]
  /// Whether a value goes with it.
  let takesValue: Bool
  /// Whether it may be given several times, each with values of its own.
  let isRepeating: Bool
  /// Whether `--help` shows it.
  let isShown: Bool

  /// All of a verb, hidden ones too.
  ///
  /// - Complexity: the parser makes a text of all that it knows of the verb; for command lines that something is wrong with.
  static func all(of verb: any ParsableCommand.Type) -> [VerbOption] {
    let text = Array(verb._dumpHelp().utf8)
    let document = text.withUnsafeBytes { bytes in
      var scanner = JSONScanner(bytes, subject: "options", of: "what the parser knows of a verb")
      return try? scanner.value()
    }
    guard let arguments = document?["command"]?["arguments"]?.elements else { return [] }
    return arguments.compactMap { argument in
      guard let kind = argument["kind"]?.text, kind != "positional" else { return nil }
      let names = (argument["names"]?.elements ?? []).compactMap { name in
        name["name"]?.text.map { (name["kind"]?.text == "long" ? "--" : "-") + $0 }
      }
      return VerbOption(
        names: names, takesValue: kind == "option", isRepeating: argument["isRepeating"]?.isTrue ?? false,
        isShown: argument["shouldDisplay"]?.isTrue ?? false)
    }
  }
}

extension JSONValue {
  /// The member of an object.
  fileprivate subscript(_ name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  fileprivate var elements: [JSONValue]? {
    guard case .array(let values) = self else { return nil }
    return values
  }

  fileprivate var text: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  fileprivate var isTrue: Bool {
    guard case .bool(let value) = self else { return false }
    return value
  }
}
