/// The name of one row set: what its rows have in common.
enum RowSetName: Hashable, Sendable {
  /// Every cell.
  case cells
  /// Cells with a vector in a space.
  case space(UInt16)
  /// Cells with a value in a field.
  case hasValue(field: UInt16)
  /// Cells whose value in a field is, or contains, a text.
  case text(field: UInt16, id: UInt32)
  /// Cells whose vector in a space is in the space's index.
  case indexed(space: UInt16)
  /// Cells whose vector in a space is in the space's graph.
  case inGraph(space: UInt16)

  /// Where the set's chunks are.
  var table: Table {
    switch self {
    case .indexed, .inGraph: .indexes
    default: .sets
    }
  }

  /// Key of the set's chunks in its table, without the chunk number.
  var prefix: Key {
    let (kind, owner, text): (UInt8, UInt16, UInt32) =
      switch self {
      case .cells: (1, 0, 0)
      case .space(let id): (2, id, 0)
      case .hasValue(let field): (3, field, 0)
      case .text(let field, let id): (4, field, id)
      case .indexed(let space): (5, space, 0)
      case .inGraph(let space): (6, space, 0)
      }
    return Key().appending(kind).appending(owner).appending(text)
  }

  /// What the keys of all texts' sets of a field begin with.
  static func textPrefix(field: UInt16) -> Key { Key().appending(UInt8(4)).appending(field) }

  /// The set of table "sets" that a stored chunk belongs to; nil for a key that is none.
  init?(key: UnsafeRawBufferPointer) {
    guard key.count == 9 else { return nil }
    let owner = key.bigEndian(at: 1, as: UInt16.self)
    let text = key.bigEndian(at: 3, as: UInt32.self)
    switch key[0] {
    case 1: self = .cells
    case 2: self = .space(owner)
    case 3: self = .hasValue(field: owner)
    case 4: self = .text(field: owner, id: text)
    default: return nil
    }
  }
}

/// A row set is stored in chunks of 65,536 rows, so that adding a row rewrites at most 8 KiB.
struct SetChunk: Hashable, Sendable {
  let name: RowSetName
  let chunk: UInt16

  static func chunk(of row: Row) -> UInt16 { UInt16(row >> 16) }

  /// The row behind the last of the chunk in which `row` is; that of the last chunk is no row any more.
  static func end(ofChunkWith row: Row) -> Row { row | 0xFFFF == .max ? .max : (row | 0xFFFF) + 1 }

  var key: Key { name.prefix.appending(chunk) }
}

/// Numbers of one field for a run of rows, as table "numbers" keeps them: NaN where a cell has no value.
///
/// A dense column is scanned at memory speed: a range over a million rows reads 8 MB, less than a tree of
/// ordered keys for the same rows occupies.
struct NumberChunk: Hashable, Sendable {
  /// 16 pages less LMDB's 16 bytes and the seal.
  static let rowCount = 8189

  let field: UInt16
  let chunk: UInt32

  init(field: UInt16, chunk: UInt32) {
    self.field = field
    self.chunk = chunk
  }

  init(field: UInt16, row: Row) {
    self.init(field: field, chunk: row / UInt32(NumberChunk.rowCount))
  }

  var key: Key { Key().appending(field).appending(chunk) }
  static func slot(of row: Row) -> Int { Int(row) % rowCount }
}
