import Faults

/// One stored chunk of a numeric field, in place. NaN, which is in no range, stands for no value.
struct NumberColumn {
  let firstRow: Row
  private let bytes: UnsafeRawBufferPointer

  init(decoding value: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer) throws {
    guard key.count == 6, value.count == NumberChunk.rowCount * 8 else {
      throw Fault(.badData, "a chunk of table \"numbers\"", "is damaged", remedy: "run cellvec check")
    }
    firstRow = key.bigEndian(at: 2, as: UInt32.self) &* UInt32(NumberChunk.rowCount)
    bytes = value
  }

  subscript(slot: Int) -> Double {
    Double(bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: slot * 8, as: UInt64.self)))
  }
}
