import Faults
import Formats

/// JSON documents: UTF-8, keys sorted, no white space, so that equal content is equal bytes.
enum Document {
  static func encode(_ value: some Encodable) throws -> [UInt8] {
    Array(try canonicalJSON(value).utf8)
  }

  /// Foundation's decoder asks for the conformances of each type that it meets, which the runtime looks for among all of
  /// the program's: half a millisecond of each start.
  static func decode<Content: DocumentContent>(
    _ type: Content.Type, from bytes: UnsafeRawBufferPointer, of subject: @autoclosure () -> String
  ) throws -> Content {
    do {
      var scanner = JSONScanner(bytes, subject: "a record", of: "a document")
      let value = try scanner.value()
      try scanner.end()
      return try Content(value)
    } catch {
      throw Fault(
        .badData, subject(), "is damaged: not the JSON document expected", remedy: "run cellvec check")
    }
  }
}
