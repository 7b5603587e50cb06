import Faults
import Glibc
import Identity

extension Audit {
  /// Compares int8 copies with what they would be. One of other vectors than those beside it is none: it is made
  /// anew when copies are made the next time.
  mutating func readCoarse(of transaction: borrowing Transaction) {
    survey(.coarse, of: transaction) { audit, key, value in
      if let problem = try coarseProblem(key, value, transaction, audit.spaces) {
        audit.reportDerived(Table.coarse.subject(of: key), problem)
      }
    }
  }
}

/// What is wrong with an entry of table "coarse"; nil where nothing is.
func coarseProblem(
  _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ transaction: borrowing Transaction,
  _ spaces: [SpaceRecord]
) throws -> String? {
  guard key.count == 6, let space = spaces.first(where: { $0.id == key.bigEndian(at: 0, as: UInt16.self) })
  else { return "is of no space" }
  let number = key.bigEndian(at: 2, as: UInt32.self)
  guard let header = CoarseHeader(decoding: value), header.space == space.id, header.block == number else {
    return "has a header that does not fit its place"
  }
  let layout = CoarseBlockLayout(of: space)
  // A block that is gone or cannot be read has no copy; what is wrong with it is reported in its own place.
  guard let block = try? transaction.block(number, of: space.id, layout.vectors), header.isOf(block.header),
    checksum64(block.payload) == block.header.checksum
  else { return nil }
  guard let groups = layout.groups(of: value, block.header) else {
    return "has another length than its block"
  }
  guard checksum64(groups) == header.groups else { return "does not match its checksum" }
  let fresh = UnsafeMutableRawBufferPointer.allocate(byteCount: groups.count, alignment: 64)
  defer { fresh.deallocate() }
  layout.coarsen(block, into: fresh)
  guard let made = fresh.baseAddress, let stored = groups.baseAddress else { return nil }
  return memcmp(made, stored, groups.count) == 0 ? nil : "differs from its vectors"
}
