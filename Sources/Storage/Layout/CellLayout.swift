import Faults
import Formats

/// A value as a cell record stores it: texts by their number in the field's dictionary.
enum StoredValue: Equatable {
  case text(UInt32)
  case texts([UInt32])
  case number(Double)

  /// The numbers of the texts, of which a number has none.
  var textIDs: [UInt32] {
    switch self {
    case .text(let id): [id]
    case .texts(let ids): ids
    case .number: []
    }
  }

  /// Calls `body` with each of `textIDs`, without making an array.
  func forEachTextID(_ body: (UInt32) throws -> Void) rethrows {
    switch self {
    case .text(let id): try body(id)
    case .texts(let ids): for id in ids { try body(id) }
    case .number: break
    }
  }
}

/// A cell as it is stored: a `CellRecord` whose texts are numbers. Layout: schema/store.md, "cells".
struct StoredCell: Equatable {
  var image: UInt32
  var object: ObjectKey
  var geometry: CellGeometry?
  var values: [UInt16: StoredValue]

  func encoded() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(40 + values.count * 8)
    let (kind, number) = object.stored
    bytes.append(littleEndian: image)
    bytes.append(kind)
    bytes.append(geometry == nil ? 0 : 1)
    bytes.append(littleEndian: UInt16(values.count))
    bytes.append(littleEndian: number)
    if let geometry {
      for side in [geometry.box.x, geometry.box.y, geometry.box.width, geometry.box.height] {
        bytes.append(littleEndian: side)
      }
      bytes.append(littleEndian: geometry.centerX.bitPattern)
      bytes.append(littleEndian: geometry.centerY.bitPattern)
      bytes.append(littleEndian: geometry.areaPx)
    }
    for (field, value) in values.sorted(by: { $0.key < $1.key }) { value.append(to: &bytes, field: field) }
    return bytes
  }

  init(image: UInt32, object: ObjectKey, geometry: CellGeometry?, values: [UInt16: StoredValue]) {
    self.image = image
    self.object = object
    self.geometry = geometry
    self.values = values
  }

  /// - Parameter fields: those whose values are wanted; nil for all.
  init(decoding bytes: UnsafeRawBufferPointer, row: Row, reading fields: [UInt16]? = nil) throws {
    var reader = ByteReader(bytes) { "cell \(row)" }
    let head = try CellHead(decoding: &reader)
    image = head.image
    object = head.object
    geometry = head.geometry
    values = Dictionary(minimumCapacity: min(Int(head.valueCount), fields?.count ?? .max))
    for _ in 0..<head.valueCount {
      let field: UInt16 = try reader.number()
      let value = try StoredValue(decoding: &reader)
      if fields?.contains(field) ?? true { values[field] = value }
    }
    if reader.remaining != 0 { throw reader.damaged("\(reader.remaining) bytes too many") }
  }
}

/// What a stored cell is, without its values.
struct CellHead {
  let image: UInt32
  let object: ObjectKey
  let geometry: CellGeometry?
  let valueCount: UInt16

  init(decoding bytes: UnsafeRawBufferPointer, row: Row) throws {
    var reader = ByteReader(bytes) { "cell \(row)" }
    try self.init(decoding: &reader)
  }

  /// Bytes of a cell's record before its values when it has no geometry.
  static let plainByteCount = 12

  /// A cell without geometry.
  init(image: UInt32, object: ObjectKey, valueCount: UInt16) {
    self.image = image
    self.object = object
    self.valueCount = valueCount
    geometry = nil
  }

  /// Writes the front of the record of a cell without geometry.
  func write(to record: UnsafeMutableRawBufferPointer) {
    let (kind, number) = object.stored
    record.storeBytes(of: image.littleEndian, as: UInt32.self)
    record.storeBytes(of: kind, toByteOffset: 4, as: UInt8.self)
    record.storeBytes(of: 0, toByteOffset: 5, as: UInt8.self)
    record.storeBytes(of: valueCount.littleEndian, toByteOffset: 6, as: UInt16.self)
    record.storeBytes(of: number.littleEndian, toByteOffset: 8, as: UInt32.self)
  }

  fileprivate init(decoding reader: inout ByteReader) throws {
    image = try reader.number()
    let kind: UInt8 = try reader.number()
    let flags: UInt8 = try reader.number()
    valueCount = try reader.number()
    let number: UInt32 = try reader.number()
    geometry = flags & 1 == 0 ? nil : try CellGeometry(decoding: &reader)
    guard let object = ObjectKey(storedKind: kind, number: number, geometry: geometry) else {
      throw reader.damaged("object kind \(kind) is unknown")
    }
    self.object = object
  }
}

extension StoredValue {
  /// Appends the value of a field as a cell record has it.
  func append(to bytes: inout [UInt8], field: UInt16) {
    bytes.append(littleEndian: field)
    switch self {
    case .text(let id):
      bytes.append(littleEndian: FieldType.string.code)
      bytes.append(littleEndian: id)
    case .texts(let ids):
      bytes.append(littleEndian: FieldType.list.code)
      bytes.append(littleEndian: UInt32(ids.count))
      for id in ids { bytes.append(littleEndian: id) }
    case .number(let number):
      bytes.append(littleEndian: FieldType.number.code)
      bytes.append(littleEndian: number.bitPattern)
    }
  }

  fileprivate init(decoding reader: inout ByteReader) throws {
    let code: UInt16 = try reader.number()
    switch FieldType(code: code) {
    case .string: self = .text(try reader.number())
    case .number: self = .number(try reader.double())
    case .list:
      let count: UInt32 = try reader.number()
      guard Int(count) * 4 <= reader.remaining else { throw reader.damaged("a list of \(count) texts") }
      self = .texts(try (0..<count).map { _ in try reader.number() })
    case nil: throw reader.damaged("value type \(code) is unknown")
    }
  }
}

extension CellGeometry {
  fileprivate init(decoding reader: inout ByteReader) throws {
    self.init(
      box: BoundingBox(
        x: try reader.number(), y: try reader.number(), width: try reader.number(),
        height: try reader.number()),
      centerX: try reader.float(), centerY: try reader.float(), areaPx: try reader.number())
  }
}

extension ObjectKey {
  fileprivate var stored: (kind: UInt8, number: UInt32) {
    switch self {
    case .whole: (0, 0)
    case .label(let value): (1, value)
    case .region: (2, 0)
    case .index(let position): (3, position)
    }
  }

  fileprivate init?(storedKind: UInt8, number: UInt32, geometry: CellGeometry?) {
    switch storedKind {
    case 0: self = .whole
    case 1: self = .label(number)
    case 2:
      guard let geometry else { return nil }
      self = .region(geometry.box)
    case 3: self = .index(number)
    default: return nil
    }
  }
}

extension FieldType {
  /// The type's number in records.
  var code: UInt16 {
    switch self {
    case .string: 1
    case .list: 2
    case .number: 3
    }
  }

  init?(code: UInt16) {
    guard let type = FieldType.allCases.first(where: { $0.code == code }) else { return nil }
    self = type
  }
}
