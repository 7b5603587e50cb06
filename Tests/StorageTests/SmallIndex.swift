import Kernels

@testable import Storage

/// Gives a space an index of one list, whose centre is zero.
func putSmallIndex(of space: SpaceRecord, in writer: DatabaseWriter) throws {
  let codeSpace = CodeSpace(dimension: space.dimension, seed: 0)
  let width = codeSpace.width
  let centre = [Float](repeating: 0, count: width)
  let rows = try writer.database.read { try $0.rows(in: space) }
  let groupCount = (rows.count + StoredIndex.codesPerGroup - 1) / StoredIndex.codesPerGroup
  var groups = [UInt8](repeating: 0, count: groupCount * codeSpace.groupByteCount)
  for (place, row) in rows.toArray().enumerated() {
    let vector = try writer.database.read { try $0.vector(of: row, in: space) } ?? []
    var rotated = centre
    codeSpace.rotateUnit(of: vector, into: &rotated)
    groups.withUnsafeMutableBufferPointer { groups in
      guard let base = groups.baseAddress else { return }
      kernels_encode(
        width, rotated, centre, row, base + place / StoredIndex.codesPerGroup * codeSpace.groupByteCount,
        place % StoredIndex.codesPerGroup)
    }
  }
  let bounds = [0, UInt32(rows.count).littleEndian]
  let segment: UInt32 = 1
  try writer.write { transaction in
    try centre.withUnsafeBytes {
      try transaction.putIndexBlocks(
        $0, from: 0, IndexBlockLayout(.centres, width: width), segment: segment, of: space)
    }
    try bounds.withUnsafeBytes {
      try transaction.putIndexBlocks(
        $0, from: 0, IndexBlockLayout(.bounds, width: width), segment: segment, of: space)
    }
    try groups.withUnsafeBytes {
      try transaction.putIndexBlocks(
        $0, from: 0, IndexBlockLayout(.codes, width: width), segment: segment, of: space)
    }
    try transaction.setIndex(
      IndexRecord(
        dimension: space.dimension, seed: 0, listCount: 1, listsPerRow: 1, centres: segment,
        segments: [.init(number: segment, rowCount: rows.count)],
        calibrations: [
          .init(
            recall: 0.9, reaches: [.init(neighbors: 10, reach: 0, range: 1)], farReach: 1, radius: 1,
            deviations: 2)
        ]),
      of: space, rows: rows)
  }
}
