import Formats

/// What a document, or a value in one, stands for. A key that comes twice in an object says two things: it is refused where it
/// is asked for.
protocol DocumentContent {
  /// - Throws: `UnexpectedContent` when the value stands for nothing of the kind.
  init(_ value: JSONValue) throws
}

struct UnexpectedContent: Error {}

extension JSONValue {
  /// A member of an object.
  subscript<Content: DocumentContent>(_ name: String) -> Content {
    get throws {
      guard let content: Content = try self[ifPresent: name] else { throw UnexpectedContent() }
      return content
    }
  }

  /// The same; nil where the object has no such member, or null.
  subscript<Content: DocumentContent>(ifPresent name: String) -> Content? {
    get throws {
      guard case .object(let members) = self else { throw UnexpectedContent() }
      var found: JSONValue?
      for member in members where member.name == name {
        guard found == nil else { throw UnexpectedContent() }
        found = member.value
      }
      guard let found else { return nil }
      if case .null = found { return nil }
      return try Content(found)
    }
  }
}

extension DocumentContent where Self: FixedWidthInteger {
  init(_ value: JSONValue) throws {
    guard case .number(let text) = value, let number = Self(text) else { throw UnexpectedContent() }
    self = number
  }
}

extension Int: DocumentContent {}
extension UInt16: DocumentContent {}
extension UInt32: DocumentContent {}
extension UInt64: DocumentContent {}

extension DocumentContent where Self: BinaryFloatingPoint & LosslessStringConvertible {
  /// The nearest number to what is spelled.
  init(_ value: JSONValue) throws {
    guard case .number(let text) = value, let number = Self(text), number.isFinite else {
      throw UnexpectedContent()
    }
    self = number
  }
}

extension Float: DocumentContent {}
extension Double: DocumentContent {}

extension String: DocumentContent {
  init(_ value: JSONValue) throws {
    guard case .string(let text) = value else { throw UnexpectedContent() }
    self = text
  }
}

extension DocumentContent where Self: RawRepresentable<String> {
  init(_ value: JSONValue) throws {
    guard case .string(let text) = value, let content = Self(rawValue: text) else {
      throw UnexpectedContent()
    }
    self = content
  }
}

extension Array: DocumentContent where Element: DocumentContent {
  init(_ value: JSONValue) throws {
    guard case .array(let values) = value else { throw UnexpectedContent() }
    self = try values.map { try Element($0) }
  }
}

extension Dictionary: DocumentContent where Key == String, Value: DocumentContent {
  init(_ value: JSONValue) throws {
    guard case .object(let members) = value else { throw UnexpectedContent() }
    self = try Dictionary(members.map { ($0.name, try Value($0.value)) }) { _, _ in
      throw UnexpectedContent()
    }
  }
}
