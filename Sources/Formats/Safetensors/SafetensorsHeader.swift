import Faults

/// The element types that safetensors names.
enum SafetensorsType: String, Sendable {
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

  /// nil for types that are not read as float32.
  var floatingPoint: FloatingPointType? {
    switch self {
    case .f16: .f16
    case .bf16: .bf16
    case .f32: .f32
    case .f64: .f64
    default: nil
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

extension SafetensorsEntry {
  /// What a header says of one tensor, checked for itself.
  init(name: String, type: String, shape: [Int], offsets: [Int]) throws(Fault) {
    let subject = "tensor \(excerpt(name))"
    guard let known = SafetensorsType(rawValue: type) else {
      throw Fault(.badData, subject, "has the unknown type \(excerpt(type))")
    }
    guard offsets.count == 2, offsets[0] >= 0, offsets[0] <= offsets[1] else {
      throw Fault(.badData, subject, expected: "data_offsets [begin, end]", found: "\(offsets)")
    }
    let size = elementCount(of: shape)?.multipliedReportingOverflow(by: known.byteCount)
    guard let size, !size.overflow else {
      throw Fault(.badData, subject, "has the impossible shape \(shape)")
    }
    let range = offsets[0]..<offsets[1]
    guard size.partialValue == range.count else {
      throw Fault(
        .badData, subject, expected: "\(size.partialValue) bytes for \(type) \(shape)",
        found: "\(range.count)")
    }
    self.init(type: known, shape: shape, range: range)
  }
}

/// A header that has been read and checked against the length of its file.
struct SafetensorsHeader {
  let metadata: [String: String]
  let entries: [String: SafetensorsEntry]
  /// Where the tensors' bytes begin in the file.
  let payloadOffset: Int

  /// The reference implementation's own limit.
  static let maximumByteCount = 100_000_000

  init(of file: UnsafeRawBufferPointer) throws(Fault) {
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
    let scanner = try SafetensorsHeaderScanner(UnsafeRawBufferPointer(rebasing: text))
    metadata = scanner.metadata
    entries = scanner.entries
    try Self.checkCoverage(of: entries, byteCount: file.count - payloadOffset)
  }

  /// The tensors must tile the rest of the file: no gap, no overlap, nothing beyond the end.
  private static func checkCoverage(of entries: [String: SafetensorsEntry], byteCount: Int) throws(Fault) {
    let ordered = entries.sorted {
      ($0.value.range.lowerBound, $0.value.range.upperBound, $0.key)
        < ($1.value.range.lowerBound, $1.value.range.upperBound, $1.key)
    }
    var end = 0
    for (name, entry) in ordered {
      guard entry.range.lowerBound == end else {
        throw Fault(
          .badData, "tensor \(excerpt(name))", expected: "data from byte \(end)",
          found: "\(entry.range.lowerBound)")
      }
      end = entry.range.upperBound
    }
    guard end == byteCount else {
      throw Fault(
        .badData, "", expected: "\(end) bytes of tensors", found: "\(byteCount)",
        remedy: end > byteCount ? "the file is cut short: fetch it again" : "")
    }
  }
}
