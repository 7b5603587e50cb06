import Faults
import Kernels

extension Audit {
  /// Compares the index of a space with what it would be: codes follow from vectors, centres and rotation.
  mutating func readIndex(of transaction: borrowing Transaction, _ space: SpaceRecord) {
    do {
      if let problem = try indexProblem(of: space, transaction) {
        reportDerived("the index of space \"\(space.name)\"", problem)
      }
    } catch {
      reportDerived(
        "the index of space \"\(space.name)\"", (error as? Fault)?.problem ?? "cannot be read: \(error)")
    }
  }
}

/// What is wrong with a space's index, or the record of one that is being built; nil where nothing is, or where there is
/// none.
/// - Throws: `badData` for what cannot be read.
func indexProblem(of space: SpaceRecord, _ transaction: borrowing Transaction) throws -> String? {
  _ = try transaction.unfinishedIndex(of: space)
  guard let value = try transaction.get(.indexes, IndexRecord.key(of: space.id)),
    let trees = transaction.trees
  else { return nil }
  let record = try IndexRecord(decoding: value, space: space)
  let index = try StoredIndex(
    record, of: space, rowLimit: transaction.counter(.nextRow), RecordReader(trees))
  let indexed = try transaction.rowSet(.indexed(space: space.id))
  guard indexed.subtracting(try transaction.rowSet(.space(space.id))).isEmpty else {
    return "has rows without a vector"
  }
  var comparison = try CodeComparison(index, live: indexed)
  for segment in index.segments {
    if let problem = try comparison.problem(of: segment) { return problem }
  }
  return comparison.missing.isEmpty ? nil : "lacks codes of \(cellRanges(comparison.missing))"
}

/// Codes made anew and compared with stored ones. Those of rows that have left the index may be anything.
private struct CodeComparison {
  /// Rows of the index of which too few codes were met.
  private(set) var missing: RowSet
  /// Of rows with two codes those of which one was met.
  private var halves = RowSet()

  private let index: StoredIndex
  private let live: RowSet
  /// [lists, width]
  private var centres: [Float] = []
  private var rotated: [Float]
  private var scratch: [UInt8]

  init(_ index: StoredIndex, live: RowSet) throws {
    self.index = index
    self.live = live
    missing = live
    rotated = Array(repeating: 0, count: index.width)
    scratch = Array(repeating: 0, count: index.codeSpace.groupByteCount)
    var centres: [Float] = []
    try index.forEachRunOfCentres { _, count, base in
      centres.append(contentsOf: UnsafeBufferPointer(start: base, count: count * index.width))
    }
    self.centres = centres
  }

  mutating func problem(of segment: StoredIndex.Segment) throws -> String? {
    var list = 0
    for block in 0..<segment.blockCount(index.codeLayout) {
      let groups = try index.verifiedCodes(ofBlock: block, in: segment)
      let first = block * index.codeLayout.itemsPerBlock * StoredIndex.codesPerGroup
      let count = min(groups.count / scratch.count * StoredIndex.codesPerGroup, segment.codeCount - first)
      for code in 0..<count {
        while Int(segment.bounds[list + 1]) <= first + code { list += 1 }
        let start = code / StoredIndex.codesPerGroup * scratch.count
        let group = UnsafeRawBufferPointer(rebasing: groups[start..<start + scratch.count])
        let slot = code % StoredIndex.codesPerGroup
        let row = group.row(slot, width: index.width)
        guard live.contains(row) else { continue }
        guard missing.contains(row) else { return "has too many codes of cell \(row)" }
        if index.record.listsPerRow == 1 || halves.contains(row) {
          missing.remove(row)
        } else {
          halves.insert(row)
        }
        if try !isCode(of: row, in: list, slot, of: group) {
          return "has another code of cell \(row) than its vector"
        }
      }
    }
    return nil
  }

  /// Whether a slot of a group has the code of a row's vector.
  private mutating func isCode(of row: Row, in list: Int, _ slot: Int, of group: UnsafeRawBufferPointer)
    throws -> Bool
  {
    let vectors = try index.vectors(ofBlock: Int(index.vectorLayout.block(of: row)))
    let byteCount = index.vectorLayout.vectorByteCount
    let start = index.vectorLayout.slot(of: row) * byteCount
    guard start + byteCount <= vectors.count, let base = vectors.baseAddress else { return false }
    let width = index.width
    for place in scratch.indices { scratch[place] = 0 }
    return rotated.withUnsafeMutableBufferPointer { rotated in
      centres.withUnsafeBufferPointer { centres in
        scratch.withUnsafeMutableBufferPointer { scratch in
          guard let vector = rotated.baseAddress, let centre = centres.baseAddress,
            let fresh = scratch.baseAddress
          else { return false }
          index.codeSpace.rotateUnit(of: base + start, index.space.scalar, into: vector)
          kernels_encode(width, vector, centre + list * width, row, fresh, slot)
          return group.hasSameCode(as: UnsafeRawBufferPointer(scratch), slot, width: width)
        }
      }
    }
  }
}

extension StoredIndex {
  /// - Throws: `badData` when the block does not match its checksum.
  fileprivate func verifiedCodes(ofBlock number: Int, in segment: Segment) throws -> UnsafeRawBufferPointer {
    guard let codes = try codes(ofBlock: number, in: segment, isVerified: true) else {
      throw damagedIndex(of: space, "block \(number) of its codes is missing or does not match its checksum")
    }
    return codes
  }
}

extension UnsafeRawBufferPointer {
  /// The row of a slot of a group of codes.
  fileprivate func row(_ slot: Int, width: Int) -> Row {
    Row(littleEndian: loadUnaligned(fromByteOffset: 4 * width + 256 + 4 * slot, as: Row.self))
  }

  /// Whether two groups have the same bits and factors in a slot.
  fileprivate func hasSameCode(as other: UnsafeRawBufferPointer, _ slot: Int, width: Int) -> Bool {
    let within = slot % 16
    let byte = within < 8 ? 2 * within : 2 * (within - 8) + 1
    let mask: UInt8 = slot < 16 ? 15 : 240
    for column in 0..<width / 4 where (self[16 * column + byte] ^ other[16 * column + byte]) & mask != 0 {
      return false
    }
    for factor in 0..<2 {
      let offset = 4 * width + 128 * factor + 4 * slot
      if loadUnaligned(fromByteOffset: offset, as: UInt32.self)
        != other.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
      {
        return false
      }
    }
    return true
  }
}
