import Faults
import FoundationEssentials

/// The element types that safetensors names.
enum SafetensorsType: String, Decodable, Sendable {
  case bool = "BOOL"
  case u8 = "U8"
  case i8 = "I8"
  case f8e4m3 = "F8_E4M3"
  case f8e5m2 = "F8_E5M2"
  case u16 = "U16"
  case i16 = "I16"
  case f16 = "F16"
  case bf16 = "BF16"
  case u32 = "U32"
  case i32 = "I32"
  case f32 = "F32"
  case u64 = "U64"
  case i64 = "I64"
  case f64 = "F64"

  var byteCount: Int {
    switch self {
    case .bool, .u8, .i8, .f8e4m3, .f8e5m2: 1
    case .u16, .i16, .f16, .bf16: 2
    case .u32, .i32, .f32: 4
    case .u64, .i64, .f64: 8
    }
  }
}

/// One tensor as the header describes it.
struct SafetensorsEntry: Sendable {
  let type: SafetensorsType
  let shape: [Int]
  /// Its bytes, counted from the end of the header.
  let range: Range<Int>
}

/// A header that has been read and checked against the length of its file.
struct SafetensorsHeader {
  let metadata: [String: String]
  let entries: [String: SafetensorsEntry]
  /// Where the tensors' bytes begin in the file.
  let payloadOffset: Int

  /// The reference implementation's own limit.
  static let maximumByteCount = 100_000_000

  init(of file: UnsafeRawBufferPointer) throws {
    guard file.count >= 8 else {
      throw Fault(
        .badData, "", expected: "a safetensors file", found: "\(file.count) bytes", remedy: "fetch it again")
    }
    let length = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
    guard length <= Self.maximumByteCount, length <= file.count - 8 else {
      throw Fault(
        .badData, "",
        expected: "a safetensors header of at most \(min(Self.maximumByteCount, file.count - 8)) bytes",
        found: "a length of \(length)", remedy: "check that the file is safetensors and complete")
    }
    payloadOffset = 8 + Int(length)
    let text = file[8..<payloadOffset]
    guard text.first == UInt8(ascii: "{") else {
      throw Fault(.badData, "header", "does not begin with {", remedy: "check that the file is safetensors")
    }
    let parsed: ParsedHeader
    do {
      parsed = try JSONDecoder().decode(ParsedHeader.self, from: Data(text))
    } catch {
      throw Fault(.badData, "header", "is not the JSON of a safetensors file: \(Self.reason(of: error))")
    }
    metadata = parsed.metadata
    var entries: [String: SafetensorsEntry] = [:]
    for (name, tensor) in parsed.tensors { entries[name] = try tensor.checked(name) }
    self.entries = entries
    try Self.checkCoverage(of: entries, byteCount: file.count - payloadOffset)
  }

  /// The tensors must tile the rest of the file: no gap, no overlap, nothing beyond the end.
  private static func checkCoverage(of entries: [String: SafetensorsEntry], byteCount: Int) throws {
    let ordered = entries.sorted {
      ($0.value.range.lowerBound, $0.value.range.upperBound, $0.key)
        < ($1.value.range.lowerBound, $1.value.range.upperBound, $1.key)
    }
    var end = 0
    for (name, entry) in ordered {
      guard entry.range.lowerBound == end else {
        throw Fault(
          .badData, "tensor \(name)", expected: "data from byte \(end)", found: "\(entry.range.lowerBound)")
      }
      end = entry.range.upperBound
    }
    guard end == byteCount else {
      throw Fault(
        .badData, "", expected: "\(end) bytes of tensors", found: "\(byteCount)",
        remedy: end > byteCount ? "the file is cut short: fetch it again" : "")
    }
  }

  private static func reason(of error: any Error) -> String {
    guard let error = error as? DecodingError else { return "\(error)" }
    let context: DecodingError.Context
    switch error {
    case .typeMismatch(_, let found), .valueNotFound(_, let found), .keyNotFound(_, let found),
      .dataCorrupted(let found):
      context = found
    @unknown default: return "unreadable"
    }
    let place = context.codingPath.map(\.stringValue).joined(separator: ".")
    return place.isEmpty ? context.debugDescription : "\(place): \(context.debugDescription)"
  }
}

/// The header as its JSON spells it.
private struct ParsedHeader: Decodable {
  let metadata: [String: String]
  let tensors: [(String, ParsedTensor)]

  private struct Name: CodingKey {
    let stringValue: String
    let intValue: Int? = nil
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Name.self)
    let reserved = Name(stringValue: "__metadata__")
    metadata = try container.decodeIfPresent([String: String].self, forKey: reserved) ?? [:]
    tensors = try container.allKeys.filter { $0.stringValue != reserved.stringValue }.map {
      ($0.stringValue, try container.decode(ParsedTensor.self, forKey: $0))
    }
  }
}

private struct ParsedTensor: Decodable {
  let dtype: String
  let shape: [Int]
  let dataOffsets: [Int]

  private enum CodingKeys: String, CodingKey {
    case dtype
    case shape
    case dataOffsets = "data_offsets"
  }

  func checked(_ name: String) throws -> SafetensorsEntry {
    let subject = "tensor \(name)"
    guard let type = SafetensorsType(rawValue: dtype) else {
      throw Fault(.badData, subject, "has the unknown type \(dtype)")
    }
    guard dataOffsets.count == 2, dataOffsets[0] >= 0, dataOffsets[0] <= dataOffsets[1] else {
      throw Fault(.badData, subject, expected: "data_offsets [begin, end]", found: "\(dataOffsets)")
    }
    let range = dataOffsets[0]..<dataOffsets[1]
    var byteCount = type.byteCount
    for extent in shape {
      let (product, overflow) = byteCount.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else {
        throw Fault(.badData, subject, "has the impossible shape \(shape)")
      }
      byteCount = product
    }
    guard byteCount == range.count else {
      throw Fault(
        .badData, subject, expected: "\(byteCount) bytes for \(dtype) \(shape)", found: "\(range.count)")
    }
    return SafetensorsEntry(type: type, shape: shape, range: range)
  }
}
