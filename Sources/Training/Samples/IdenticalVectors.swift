import Identity

/// Cells whose vectors are those of a cell of another group, bit for bit: copies of an image under two names, or of a
/// cell. Folds cannot keep them apart, so one may teach what the other tests.
struct IdenticalVectors: Sendable {
  /// Cells that have a double in another group.
  let count: Int
  /// The first such pair; nil when there is none.
  let example: (Int32, Int32)?

  private static let batchSize = 1024

  /// - Parameter groups: the group of each cell; -1 for one that is not to be looked at.
  /// - Throws: as `ScratchTable`.
  init(in source: some SampleVectors, groups: [Int32]) throws {
    precondition(groups.count == source.count)
    let first = try Self.firstOfEqual(in: source) { groups[$0] >= 0 }
    /// For the first of equal cells, the first in another group; 0 where there is none, as 0 is after no cell.
    let other = try ScratchTable<Int32>(count: source.count)
    for cell in groups.indices where groups[cell] >= 0 {
      let place = Int(first[cell])
      if other[place] == 0, groups[cell] != groups[place] { other[place] = Int32(cell) }
    }
    count = groups.indices.count { groups[$0] >= 0 && other[Int(first[$0])] != 0 }
    example = other.firstIndex { $0 != 0 }.map { (Int32($0), other[$0]) }
  }

  /// For each cell that is wanted the first with the same vector, which may be itself.
  private static func firstOfEqual(
    in source: some SampleVectors, where isWanted: (Int) -> Bool
  ) throws -> ScratchTable<Int32> {
    let dimension = source.dimension
    let digests = try ScratchTable<UInt64>(count: 2 * source.count)
    let first = try ScratchTable<Int32>(count: source.count)
    // The first cells with each digest, plus 1, from the place on that the digest names.
    var slotCount = 1
    while slotCount < 2 * source.count { slotCount *= 2 }
    let slots = try ScratchTable<Int32>(count: slotCount)
    let batch = FloatBuffer(count: batchSize * dimension)
    for start in stride(from: 0, to: source.count, by: batchSize) {
      let samples = start..<min(start + batchSize, source.count)
      source.gather(samples.map(Int32.init)[...], into: batch.values)
      for sample in samples where isWanted(sample) {
        let vector = batch.values[(sample - start) * dimension..<(sample - start + 1) * dimension]
        let hash = ContentHash(of: UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: vector)))
        (digests[2 * sample], digests[2 * sample + 1]) = (hash.high, hash.low)
        var slot = Int(truncatingIfNeeded: hash.low) & (slotCount - 1)
        while slots[slot] > 0 {
          let known = Int(slots[slot]) - 1
          if digests[2 * known] == hash.high, digests[2 * known + 1] == hash.low { break }
          slot = (slot + 1) & (slotCount - 1)
        }
        if slots[slot] == 0 { slots[slot] = Int32(sample) + 1 }
        first[sample] = slots[slot] - 1
      }
    }
    return first
  }
}
