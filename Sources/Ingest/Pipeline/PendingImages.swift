import Imaging
import Storage

/// Images that are embedded and wait for the next commit.
struct PendingImages: Sendable {
  let space: SpaceRecord
  let metadata: ImageMetadata?

  private enum Entry {
    case known(image: UInt32, FieldOfView)
    case new(NewImage, vectors: [Float], FieldOfView)
  }

  private var entries: [Entry] = []
  private(set) var cellCount = 0

  var isEmpty: Bool { entries.isEmpty }

  init(space: SpaceRecord, metadata: ImageMetadata?) {
    self.space = space
    self.metadata = metadata
  }

  mutating func addKnown(_ image: UInt32, _ source: FieldOfView) {
    // Nothing of a known image changes but its metadata.
    if metadata?.hasValues(of: source.name) == true { entries.append(.known(image: image, source)) }
  }

  /// - Shape: `vectors` is [image.cells.count, dimension].
  mutating func addNew(_ image: NewImage, _ source: FieldOfView, _ vectors: [Float]) {
    entries.append(.new(image, vectors: vectors, source))
    cellCount += image.cells.count
  }

  /// Writes everything in one transaction.
  func commit(to writer: DatabaseWriter) throws {
    try writer.write { transaction in
      for entry in entries {
        switch entry {
        case .known(let number, let source):
          let values = try metadata?.values(of: source, &transaction) ?? [:]
          for row in try transaction.rows(ofImage: number) {
            try transaction.setValues(values.mapValues { $0 }, of: row)
          }
        case .new(let image, let vectors, let source):
          try write(image, vectors, source, &transaction)
        }
      }
    }
  }

  private func write(
    _ image: NewImage, _ vectors: [Float], _ source: FieldOfView, _ transaction: inout WriteTransaction
  ) throws {
    let number = try transaction.addImage(image.record)
    let imageField = try transaction.field(named: ImageMetadata.imageField, type: .string)
    var values = try metadata?.values(of: source, &transaction) ?? [:]
    values[imageField.id] = .string(image.record.name)
    let cells = image.cells.map {
      CellRecord(image: number, object: $0.object, geometry: $0.geometry, values: values)
    }
    let rows = try transaction.addCells(cells, of: number)
    try vectors.withUnsafeBufferPointer {
      try transaction.setVectors($0, of: rows, in: space)
    }
    try transaction.setOutcome(image.outcome, image: number, space: space)
  }
}
