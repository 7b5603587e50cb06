package import Faults
import Kernels

/// A space's graph in the memory map, with the vectors that it leads to. Valid as long as its snapshot; threads may
/// share it.
package struct StoredGraph {
  package let space: SpaceRecord
  package let record: GraphRecord
  package let codeSpace: CodeSpace
  /// One more than the highest row that was ever given out.
  package let rowLimit: Row
  package let vertexLayout: IndexBlockLayout
  /// [width], the rotated centre of the entries' codes.
  package let entryCentre: UnsafeBufferPointer<Float>
  /// Groups of codes of `record.entryCount` vertices.
  package let entries: UnsafeRawBufferPointer
  let vectorLayout: BlockLayout
  private let reader: RecordReader

  /// Entries that a graph may have: those that fit a block.
  package static func entryLimit(dimension: Int) -> Int {
    let layout = IndexBlockLayout(.entries, width: kernels_code_width(dimension))
    return layout.itemsPerBlock * KERNELS_GROUP_CODES
  }

  /// - Throws: `badData` when blocks are missing.
  init(_ record: GraphRecord, of space: SpaceRecord, rowLimit: Row, _ reader: RecordReader) throws {
    self.space = space
    self.record = record
    self.rowLimit = rowLimit
    self.reader = reader
    codeSpace = CodeSpace(dimension: record.dimension, seed: record.seed)
    vertexLayout = IndexBlockLayout(.vertices, width: codeSpace.width)
    vectorLayout = BlockLayout(of: space)
    func block(_ kind: IndexBlockKind, itemCount: Int) throws -> UnsafeRawBufferPointer {
      let name = IndexBlockName(space: space.id, segment: record.segment, kind: kind, number: 0)
      guard let value = try reader.value(.codes, name.key),
        let items = IndexBlockLayout(kind, width: kernels_code_width(space.dimension))
          .items(of: value, name, itemCount: itemCount, isVerified: true)
      else { throw damagedGraph(of: space, "where searches begin is missing") }
      return items
    }
    entryCentre = try block(.centres, itemCount: 1).assumingMemoryBound(to: Float.self)
    let groupCount = (record.entryCount + KERNELS_GROUP_CODES - 1) / KERNELS_GROUP_CODES
    entries = try block(.entries, itemCount: groupCount)
  }

  package var width: Int { codeSpace.width }
  package var blockCount: Int { vertexLayout.blockCount(itemCount: record.vertexCount) }

  /// The records of a block of vertices.
  /// - Throws: `badData` when it is missing.
  package func vertices(ofBlock number: Int) throws -> UnsafePointer<UInt8> {
    guard let base = try vertices(ofBlock: number, isVerified: false)?.baseAddress else {
      throw damagedGraph(of: space, "block \(number) of its vertices is missing")
    }
    return base.assumingMemoryBound(to: UInt8.self)
  }

  /// The same; nil when it is missing or, if it is to be verified, does not match its checksum.
  func vertices(ofBlock number: Int, isVerified: Bool) throws -> UnsafeRawBufferPointer? {
    let name = IndexBlockName(
      space: space.id, segment: record.segment, kind: .vertices, number: UInt32(number))
    let size = vertexLayout.itemCount(ofBlock: number, of: record.vertexCount)
    return try reader.value(.codes, name.key).flatMap {
      vertexLayout.items(of: $0, name, itemCount: size, isVerified: isVerified)
    }
  }

  /// The fault of a graph that leads to what is not there.
  package func leadsAstray(_ problem: String) -> Fault { damagedGraph(of: space, problem) }

  /// The vectors of a block, [slots, dimension] numbers of the space's scalar type.
  /// - Throws: `badData` when the space has no such block.
  package func vectors(ofBlock number: Int) throws -> UnsafeRawBufferPointer {
    guard let vectors = try reader.vectors(ofBlock: number, of: space, vectorLayout) else {
      throw damagedGraph(of: space, "it leads to block \(number) of the vectors, which is missing")
    }
    return vectors
  }
}

extension Snapshot {
  /// The record of a space's graph; nil when the space has none.
  package func graphRecord(of space: SpaceRecord) throws -> GraphRecord? {
    try transaction.get(.indexes, GraphRecord.key(of: space.id)).map {
      try GraphRecord(decoding: $0, space: space)
    }
  }

  package func hasGraph(_ space: SpaceRecord) throws -> Bool {
    try transaction.get(.indexes, GraphRecord.key(of: space.id)) != nil
  }

  /// The graph of a record that was read in this snapshot.
  /// - Complexity: O(1).
  package func graph(_ record: GraphRecord, of space: SpaceRecord) throws -> StoredGraph {
    guard let trees = transaction.trees else { preconditionFailure("a graph is read in a snapshot") }
    return try StoredGraph(record, of: space, rowLimit: rowLimit(), RecordReader(trees))
  }

  /// Cells whose vector in the space is in its graph as it was when that was built.
  package func rowsInGraph(of space: SpaceRecord) throws -> RowSet {
    try transaction.rowSet(.inGraph(space: space.id))
  }
}
