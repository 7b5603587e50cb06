import Faults
import Formats

/// An index of which a build has stored the centres and perhaps more, but that nobody sees yet. As long as none of its
/// vectors changes, the next build goes on with it. Layout: schema/store.md, "Indexes".
package struct UnfinishedIndex: Sendable, Equatable, Encodable {
  package let dimension: Int
  package let seed: UInt64
  package let listCount: Int
  package let listsPerRow: Int
  /// Where its blocks are.
  package let segment: UInt32
  /// It has the rows of the space below this one, so many.
  package let rowLimit: Row
  package let rowCount: Int

  package init(
    dimension: Int, seed: UInt64, listCount: Int, listsPerRow: Int, segment: UInt32, rowLimit: Row,
    rowCount: Int
  ) {
    self.dimension = dimension
    self.seed = seed
    self.listCount = listCount
    self.listsPerRow = listsPerRow
    self.segment = segment
    self.rowLimit = rowLimit
    self.rowCount = rowCount
  }

  static func key(of space: UInt16) -> Key { Key().appending(space).appending(UInt8(1)) }
}

extension UnfinishedIndex: DocumentContent {
  init(_ value: JSONValue) throws {
    try self.init(
      dimension: value["dimension"], seed: value["seed"], listCount: value["listCount"],
      listsPerRow: value["listsPerRow"], segment: value["segment"], rowLimit: value["rowLimit"],
      rowCount: value["rowCount"])
  }
}

extension Transaction {
  func unfinishedIndex(of space: SpaceRecord) throws -> UnfinishedIndex? {
    try get(.indexes, UnfinishedIndex.key(of: space.id)).map {
      try Document.decode(
        UnfinishedIndex.self, from: $0, of: "the unfinished index of space \"\(space.name)\"")
    }
  }

  /// The same; nil also where it is damaged.
  func soundUnfinishedIndex(of space: SpaceRecord) throws -> UnfinishedIndex? {
    do {
      return try unfinishedIndex(of: space)
    } catch let fault as Fault where fault.kind == .badData {
      return nil
    }
  }
}

extension Snapshot {
  /// What a build that ended early has left to go on with; nil when there is nothing, or it is damaged.
  package func unfinishedIndex(of space: SpaceRecord) throws -> UnfinishedIndex? {
    try transaction.soundUnfinishedIndex(of: space)
  }

  /// The blocks of one kind that an unfinished index has, from the first on and as far as they are sound, one behind the
  /// other.
  /// - Parameters:
  ///   - itemCount: how many items there will be in all.
  ///   - body: called with the items of each block.
  /// - Returns: how many blocks there are.
  @discardableResult
  package func forEachBlock(
    of unfinished: UnfinishedIndex, in space: SpaceRecord, _ layout: IndexBlockLayout, itemCount: Int,
    _ body: (UnsafeRawBufferPointer) -> Void
  ) throws -> Int {
    for number in 0..<layout.blockCount(itemCount: itemCount) {
      let name = IndexBlockName(
        space: space.id, segment: unfinished.segment, kind: layout.kind, number: UInt32(number))
      let size = layout.itemCount(ofBlock: number, of: itemCount)
      guard let value = try transaction.get(.codes, name.key),
        let items = layout.items(of: value, name, itemCount: size, isVerified: true)
      else { return number }
      body(items)
    }
    return layout.blockCount(itemCount: itemCount)
  }
}
