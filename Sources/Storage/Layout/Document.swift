import Faults
import Formats
import FoundationEssentials

/// JSON documents: UTF-8, keys sorted, no white space, so that equal content is equal bytes.
enum Document {
  static func encode(_ value: some Encodable) throws -> [UInt8] {
    Array(try canonicalJSON(value).utf8)
  }

  static func decode<Value: Decodable>(
    _ type: Value.Type, from bytes: UnsafeRawBufferPointer, of subject: @autoclosure () -> String
  ) throws -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data(bytes))
    } catch {
      throw Fault(
        .badData, subject(), "is damaged: not the JSON document expected", remedy: "run cellvec check")
    }
  }
}
