import Imaging
import Storage

/// Images that are embedded and wait for the next commit.
struct PendingImages {
  let space: SpaceRecord
  let metadata: ImageMetadata?

  private struct NewImage {
    let record: ImageRecord
    let cells: [(object: ObjectKey, geometry: CellGeometry)]
    let vectors: [Float]
    let outcome: IngestOutcome
  }

  private enum Entry {
    case known(image: UInt32, FieldOfView)
    case new(NewImage, FieldOfView)
  }

  private var entries: [Entry] = []
  private(set) var cellCount = 0

  init(space: SpaceRecord, metadata: ImageMetadata?) {
    self.space = space
    self.metadata = metadata
  }

  mutating func addKnown(_ image: UInt32, _ source: FieldOfView) {
    // Nothing of a known image changes but its metadata.
    if metadata?.hasValues(of: source.name) == true { entries.append(.known(image: image, source)) }
  }

  /// - Shape: `vectors` is [plan.cells.count, dimension].
  mutating func addNew(
    _ image: FieldImage, _ source: FieldOfView, _ plan: CropPlan, mask: String?, _ vectors: [Float]
  ) {
    let record = ImageRecord(
      identity: image.identity, name: image.name,
      files: image.sources.map { ChannelFile(role: $0.role, path: $0.path, plane: $0.plane ?? 0) },
      width: UInt32(image.width), height: UInt32(image.height))
    let outcome = IngestOutcome(
      found: plan.cells.count + plan.dropped.values.reduce(0, +), kept: plan.cells.count,
      dropped: plan.dropped, mask: mask)
    let cells = plan.cells.map { (ObjectKey($0), CellGeometry($0.object)) }
    entries.append(.new(NewImage(record: record, cells: cells, vectors: vectors, outcome: outcome), source))
    cellCount += plan.cells.count
  }

  /// Writes everything in one transaction.
  mutating func commit(to writer: DatabaseWriter) throws {
    guard !entries.isEmpty else { return }
    try writer.write { transaction in
      for entry in entries {
        switch entry {
        case .known(let number, let source):
          let values = try metadata?.values(of: source, &transaction) ?? [:]
          for row in try transaction.rows(ofImage: number) {
            try transaction.setValues(values.mapValues { $0 }, of: row)
          }
        case .new(let image, let source):
          try write(image, source, &transaction)
        }
      }
    }
    entries = []
    cellCount = 0
  }

  private func write(
    _ image: NewImage, _ source: FieldOfView, _ transaction: inout WriteTransaction
  ) throws {
    let number = try transaction.addImage(image.record)
    let imageField = try transaction.field(named: ImageMetadata.imageField, type: .string)
    var values = try metadata?.values(of: source, &transaction) ?? [:]
    values[imageField.id] = .string(image.record.name)
    let cells = image.cells.map {
      CellRecord(image: number, object: $0.object, geometry: $0.geometry, values: values)
    }
    let rows = try transaction.addCells(cells, of: number)
    try image.vectors.withUnsafeBufferPointer {
      try transaction.setVectors($0, of: rows, in: space)
    }
    try transaction.setOutcome(image.outcome, image: number, space: space)
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
