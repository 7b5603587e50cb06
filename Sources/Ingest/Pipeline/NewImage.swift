import Imaging
import Storage

/// What the database is to hold of an image that it has not, but for vectors and metadata; no pixels.
struct NewImage: Sendable {
  let record: ImageRecord
  let cells: [(object: ObjectKey, geometry: CellGeometry)]
  let outcome: IngestOutcome
  /// Roles of the channels whose pixels are all equal.
  let blankRoles: [String]
  /// What the squares of its cells do not fit into; else nil.
  let small: SmallImage?

  /// - Parameters:
  ///   - mask: digest of the mask that the cells come from.
  ///   - maskPath: its file.
  init(_ image: FieldImage, _ plan: CropPlan, mask: String?, maskPath: String?) {
    record = ImageRecord(
      identity: image.identity, name: image.name,
      files: image.sources.map { ChannelFile(role: $0.role, path: $0.path, plane: $0.plane ?? 0) },
      width: UInt32(image.width), height: UInt32(image.height))
    cells = plan.cells.map { (ObjectKey($0), CellGeometry($0.object)) }
    outcome = IngestOutcome(
      found: plan.cells.count + plan.dropped.values.reduce(0, +), kept: plan.cells.count,
      dropped: plan.dropped, mask: mask, maskPath: maskPath)
    blankRoles = image.blankRoles
    small = SmallImage(image, plan)
  }
}

extension ObjectKey {
  fileprivate init(_ cell: Cell) {
    switch cell.key {
    case .whole: self = .whole
    case .label(let label): self = .label(label)
    case .region: self = .region(BoundingBox(cell.object))
    }
  }
}

extension BoundingBox {
  fileprivate init(_ object: CellObject) {
    self.init(
      x: Int32(object.x), y: Int32(object.y), width: Int32(object.width), height: Int32(object.height))
  }
}

extension CellGeometry {
  fileprivate init(_ object: CellObject) {
    self.init(
      box: BoundingBox(object), centerX: object.centerX, centerY: object.centerY,
      areaPx: UInt32(object.areaPx))
  }
}
