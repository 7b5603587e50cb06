import Faults

/// One stored chunk of a numeric field, in place. NaN, which is in no range, stands for no value.
struct NumberColumn {
  let firstRow: Row
  private let bytes: UnsafeRawBufferPointer

  init(decoding value: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer) throws {
    let rowCount = UInt32(NumberChunk.rowCount)
    guard key.count == 6, value.count == NumberChunk.rowCount * 8,
      key.bigEndian(at: 2, as: UInt32.self) < Row.max / rowCount
    else {
      throw Fault(.badData, "a chunk of table \"numbers\"", "is damaged", remedy: "run cellvec check")
    }
    firstRow = key.bigEndian(at: 2, as: UInt32.self) * rowCount
    bytes = value
  }

  /// The numbers where they lie in the memory map, `NumberChunk.rowCount` of them.
  func withNumbers<Result>(_ body: (UnsafeBufferPointer<Double>) -> Result) -> Result {
    bytes.withMemoryRebound(to: Double.self, body)
  }

  subscript(slot: Int) -> Double {
    Double(bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: slot * 8, as: UInt64.self)))
  }
}
