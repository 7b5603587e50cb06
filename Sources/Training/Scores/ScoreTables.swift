/// Where the scores of samples are made, of one set of samples after another.
struct ScoreTables: Sendable {
  /// Whether samples belong to a class, a bit each in words of 64, class after class.
  let membership: ScratchTable<UInt64>
  /// The order of samples by one class's probability, and room to sort them: one pair for all classes.
  let keys: ScratchTable<UInt32>
  let spare: ScratchTable<UInt32>

  /// - Parameter count: of the largest set.
  /// - Throws: as `ScratchTable`.
  init(samples count: Int, classes: Int) throws {
    membership = try ScratchTable(count: classes * ((count + 63) / 64))
    keys = try ScratchTable(count: count)
    spare = try ScratchTable(count: count)
  }

  /// In memory, whatever the size.
  init(inMemory count: Int, classes: Int) {
    membership = ScratchTable(inMemory: classes * ((count + 63) / 64))
    keys = ScratchTable(inMemory: count)
    spare = ScratchTable(inMemory: count)
  }
}
