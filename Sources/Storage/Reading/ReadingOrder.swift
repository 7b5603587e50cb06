/// How pages of the file are going to be read, which tells the system how much to fetch from the disk with one that is
/// not in memory.
package enum ReadingOrder: Sendable {
  /// Most of some tables from one end to the other: it fetches ahead, up to megabytes.
  case inOrder
  /// A few pages here and there: it fetches each alone. Reading all of a table so takes ten times as long.
  case scattered
}

extension Snapshot {
  /// Tells the system what reading is to come.
  package func expect(_ order: ReadingOrder) { transaction.environment.pages.expect(order) }

  /// Tells the system that so many vectors of a space are to be read: in order where they are more than a few.
  /// - Returns: what it was told before.
  package func expectVectors(_ count: Int, of space: SpaceRecord) -> ReadingOrder {
    let pages = transaction.environment.pages
    return count > space.vectorsPerBlock ? pages.expect(.inOrder) : pages.order
  }
}
