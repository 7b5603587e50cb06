import Faults
import Identity
import Storage

/// Everything that a database knows of one cell, as `show` writes it.
struct CellDescription: Encodable {
  let cell: Row
  /// What the cell is in its image: "mask label 3".
  let object: String
  let image: String
  /// Digest of the image's pixels.
  let imageIdentity: String
  let imageWidth: UInt32
  let imageHeight: UInt32
  let files: [ChannelFile]
  let geometry: Geometry?
  let fields: [String: JSONValue]
  /// Spaces in which the cell has a vector.
  let spaces: [String]

  /// Pixels of the image.
  struct Geometry: Encodable {
    let x: Int32
    let y: Int32
    let width: Int32
    let height: Int32
    let centerX: Float
    let centerY: Float
    let areaPx: UInt32
  }

  /// A metadata value in its own JSON type.
  enum JSONValue: Encodable {
    case value(FieldValue)

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .value(.string(let text)): try container.encode(text)
      case .value(.list(let texts)): try container.encode(texts)
      case .value(.number(let number)): try container.encode(number)
      }
    }
  }

  /// - Throws: `missingInput` when there is no such cell.
  init(of row: Row, in snapshot: borrowing Snapshot) throws {
    let record = try snapshot.requiredCell(at: row)
    guard let image = try snapshot.image(record.image) else {
      throw Fault(
        .badData, "cell \(row)", "belongs to image \(record.image), which is missing",
        remedy: "run cellvec check")
    }
    cell = row
    object = record.object.description
    self.image = image.name
    imageIdentity = image.identity.description
    imageWidth = image.width
    imageHeight = image.height
    files = image.files
    geometry = record.geometry.map {
      Geometry(
        x: $0.box.x, y: $0.box.y, width: $0.box.width, height: $0.box.height, centerX: $0.centerX,
        centerY: $0.centerY, areaPx: $0.areaPx)
    }
    fields = Dictionary(
      uniqueKeysWithValues: snapshot.fields.compactMap { field in
        record.values[field.id].map { (field.name, .value($0)) }
      })
    var spaces: [String] = []
    for space in snapshot.spaces where try snapshot.rows(in: space).contains(row) {
      spaces.append(space.name)
    }
    self.spaces = spaces
  }

  var card: Card {
    var entries: [(String, Value)] = [
      ("cell", .integer(Int(cell))), ("object", .text(object)), ("image", .text(image)),
      ("image identity", .text(imageIdentity)),
    ]
    if imageWidth > 0 { entries.append(("image size", .text("\(imageWidth) x \(imageHeight) px"))) }
    for file in files {
      let plane = file.plane > 0 ? ", plane \(file.plane)" : ""
      entries.append(("\(file.role) file", .text(file.path + plane)))
    }
    if let geometry {
      entries += [
        ("box", .text("\(geometry.width) x \(geometry.height) px at (\(geometry.x), \(geometry.y))")),
        ("center", .text("(\(geometry.centerX), \(geometry.centerY)) px")),
        ("area", .text("\(geometry.areaPx) px")),
      ]
    }
    entries += fields.sorted { $0.key < $1.key }.map { name, field in
      switch field {
      case .value(let value): ("field \(name)", Value(value))
      }
    }
    entries.append(("spaces", .list(spaces)))
    return Card(entries)
  }
}

extension ObjectKey {
  /// The object as a reader of tables knows it.
  var description: String {
    switch self {
    case .whole: "whole image"
    case .label(let value): "mask label \(value)"
    case .region(let box): "region of \(box.width) x \(box.height) px at (\(box.x), \(box.y))"
    case .index(let position): "row \(position) of an array"
    }
  }
}

extension Snapshot {
  /// - Throws: `missingInput` when the cell does not exist or has no vector in the space.
  func requiredVector(of row: Row, in space: SpaceRecord) throws -> [Float] {
    _ = try requiredCell(at: row)
    if let vector = try vector(of: row, in: space) { return vector }
    throw Fault(
      .missingInput, "cell \(row)", "has no vector in space \"\(space.name)\"",
      remedy: "cellvec show \(row) names the spaces where it has one")
  }
}
