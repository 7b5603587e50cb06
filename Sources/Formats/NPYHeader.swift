import Faults

/// The header of a NumPy array file: what its bytes are and where they start.
///
/// - Source: numpy.lib.format, versions 1.0, 2.0 and 3.0.
struct NPYHeader: Equatable {
  /// The element type as NumPy spells it, such as "<f4"; nil for records of several fields.
  let elementType: String?
  let isFortranOrder: Bool
  let shape: [Int]
  /// Bytes from the start of the file to the first element.
  let dataOffset: Int

  /// - Throws: `badData` when the bytes are not a NumPy array file.
  init(decoding bytes: UnsafeRawBufferPointer, name: String) throws(Fault) {
    func damaged(_ problem: String) -> Fault { Fault(.badData, name, problem) }

    guard bytes.starts(with: Self.magic) else {
      throw Fault(
        .badData, name, "is not a NumPy array file",
        remedy: "write it with numpy.save(path, x.astype('float32'))")
    }
    guard bytes.count >= 10 else { throw damaged("ends inside its header") }
    let version = bytes[6]
    let lengthBytes: Int
    switch version {
    case 1: lengthBytes = 2
    case 2, 3: lengthBytes = 4
    default: throw damaged("expected format version 1, 2 or 3, found \(version)")
    }
    let start = 8 + lengthBytes
    guard bytes.count >= start else { throw damaged("ends inside its header") }
    let length = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= bytes.count - start else { throw damaged("ends inside its header") }
    var parser = DictionaryParser(bytes[start..<start + length])
    guard let entries = parser.parse(), case .tuple(let shape) = entries["shape"],
      case .truth(let isFortranOrder) = entries["fortran_order"], let descr = entries["descr"]
    else { throw damaged("its header is not a dictionary of descr, fortran_order and shape") }
    if case .text(let type) = descr { elementType = type } else { elementType = nil }
    self.isFortranOrder = isFortranOrder
    self.shape = shape
    dataOffset = start + length
  }

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Bytes that tell how long a header is.
  static let frontByteCount = 12

  /// Bytes of a header from its magic to its end, by its first `frontByteCount`. Those of version 1 have their length in
  /// two bytes, and all others in four.
  static func byteCount(front: [UInt8]) -> Int {
    let lengthBytes = front[6] == 1 ? 2 : 4
    let length = front[8..<8 + lengthBytes].reversed().reduce(0) { $0 << 8 | Int($1) }
    return max(front.count, 8 + lengthBytes + length)
  }

  /// A header of version 1.0 for C-ordered float32, always 128 bytes, whatever the count of rows: it can be
  /// written first and corrected last.
  static func encoded(shape: [Int]) -> [UInt8] {
    let tuple =
      shape.count == 1 ? "(\(shape[0]),)" : "(" + shape.map(String.init).joined(separator: ", ") + ")"
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': \(tuple), }"
    let length = encodedSize - 10
    let padding = String(repeating: " ", count: length - 1 - text.utf8.count)
    return magic + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + Array((text + padding + "\n").utf8)
  }

  /// Two lines of 64 bytes: room for two numbers of nineteen digits.
  static let encodedSize = 128
}

/// Reads the one Python expression that stands in a header: a dictionary of texts, truths and tuples.
private struct DictionaryParser {
  enum Value {
    case text(String)
    case truth(Bool)
    case tuple([Int])
    /// A list, as the type of records; its content does not matter.
    case list
  }

  private var rest: Slice<UnsafeRawBufferPointer>

  init(_ bytes: Slice<UnsafeRawBufferPointer>) { rest = bytes }

  /// nil when the bytes are anything else.
  mutating func parse() -> [String: Value]? {
    var entries: [String: Value] = [:]
    guard accept("{") else { return nil }
    while !accept("}") {
      guard let key = text(), accept(":"), let value = value(), entries.updateValue(value, forKey: key) == nil
      else { return nil }
      if !accept(",") {
        guard accept("}") else { return nil }
        break
      }
    }
    skipSpace()
    return rest.isEmpty ? entries : nil
  }

  private mutating func value() -> Value? {
    skipSpace()
    switch rest.first {
    case UInt8(ascii: "'"), UInt8(ascii: "\""): return text().map { .text($0) }
    case UInt8(ascii: "("): return tuple().map { .tuple($0) }
    case UInt8(ascii: "["): return skipList() ? .list : nil
    default:
      if accept("True") { return .truth(true) }
      return accept("False") ? .truth(false) : nil
    }
  }

  private mutating func text() -> String? {
    skipSpace()
    guard let quote = rest.first, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      return nil
    }
    rest = rest.dropFirst()
    guard let end = rest.firstIndex(of: quote) else { return nil }
    defer { rest = rest[(end + 1)...] }
    return String(validating: rest[..<end], as: UTF8.self)
  }

  private mutating func tuple() -> [Int]? {
    guard accept("(") else { return nil }
    var numbers: [Int] = []
    while !accept(")") {
      skipSpace()
      let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      guard let number = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
      rest = rest[digits.endIndex...]
      // Python 2 wrote long integers with an L.
      _ = accept("L")
      numbers.append(number)
      if !accept(",") {
        guard accept(")") else { return nil }
        break
      }
    }
    return numbers
  }

  private mutating func skipList() -> Bool {
    var depth = 0
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "[") { depth += 1 }
      if byte == UInt8(ascii: "]") { depth -= 1 }
      if depth == 0 { return true }
    }
    return false
  }

  private mutating func accept(_ word: String) -> Bool {
    skipSpace()
    guard rest.starts(with: word.utf8) else { return false }
    rest = rest.dropFirst(word.utf8.count)
    return true
  }

  private mutating func skipSpace() {
    rest = rest.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
  }
}
