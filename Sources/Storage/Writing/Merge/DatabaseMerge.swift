import Faults
import Identity

/// What became of the cells of one database that were merged into another.
package struct MergeSummary: Sendable {
  /// Cells of both databases with different values in one field.
  package struct Conflict: Sendable, Equatable {
    /// One of the cells, with its row in the target.
    package struct Example: Sendable, Equatable {
      package let row: Row
      package let target: FieldValue
      package let source: FieldValue
    }

    static let exampleLimit = 3

    package fileprivate(set) var cells = 0
    /// The first of them.
    package fileprivate(set) var examples: [Example] = []
  }

  package fileprivate(set) var images = 0
  package fileprivate(set) var newImages = 0
  package fileprivate(set) var cells = 0
  package fileprivate(set) var newCells = 0
  /// Cells that the target had, and that got values from the source.
  package fileprivate(set) var changedCells = 0
  package fileprivate(set) var vectors = 0
  package fileprivate(set) var newHeads = 0
  /// Heads that were left out, because the target has another one of the name.
  package fileprivate(set) var otherHeads: [String] = []
  /// By name of the field.
  package fileprivate(set) var conflicts: [String: Conflict] = [:]
}

extension MergeSummary.Conflict {
  fileprivate mutating func add(_ example: Example) {
    cells += 1
    if examples.count < Self.exampleLimit { examples.append(example) }
  }
}

extension DatabaseWriter {
  /// Cells taken up in one transaction.
  static let cellsMergedPerCommit = 5_000

  /// Looks whether databases can be taken up one after another, and changes nothing.
  /// - Throws: `usage` for the database itself, `badData` when a field or a space of one name is another one.
  package func requireFit(of sources: [Database]) throws {
    var origins = MergeOrigins(target: database.path)
    try rehearse { transaction in
      for source in sources {
        try requireOther(source)
        try source.read { snapshot in
          let known = origins
          origins.note(snapshot, at: source.path, into: transaction)
          _ = try mergePlan(of: snapshot, at: source.path, into: &transaction, origins: known)
        }
      }
    }
  }

  private func mergePlan(
    of source: borrowing Snapshot, at path: String, into transaction: inout WriteTransaction,
    origins: MergeOrigins
  ) throws -> MergePlan {
    do {
      return try MergePlan(of: source, into: &transaction, origins: origins)
    } catch let fault as Fault {
      throw fault.within(path)
    }
  }

  private func requireOther(_ source: Database) throws {
    guard source.environment !== database.environment else {
      throw Fault(.usage, source.path, "cannot be merged into itself", remedy: "name another database")
    }
  }

  /// Takes up the images, cells, values, vectors and heads of another database that this one lacks.
  ///
  /// Cells are the same when image and object are, as in an ingest; spaces when recipe, weights and dimension are, or,
  /// of imported vectors, name and dimension; of both, the numbers that they keep. The same merge again changes nothing, and completes one that ended early.
  /// - Parameters:
  ///   - prefersSource: whose value a cell gets where both have one.
  ///   - progress: called after each transaction with the number of cells done; a throw ends the merge.
  /// - Throws: `usage` for the database itself, `badData` when a field or a space of one name is another one.
  package func merge(
    _ source: Database, prefersSource: Bool = false, progress: (Int) throws -> Void = { _ in }
  ) throws -> MergeSummary {
    try requireOther(source)
    return try source.read { snapshot in
      let origins = MergeOrigins(target: database.path)
      // In a new database fields and spaces are nothing yet.
      let plan = try write(isPreparation: true) {
        try mergePlan(of: snapshot, at: source.path, into: &$0, origins: origins)
      }
      var run = MergeRun(plan, prefersSource: prefersSource)
      var numbers: [UInt32] = []
      try snapshot.forEachImage { number, _ in numbers.append(number) }
      let cells = try snapshot.allRows()
      var pieces: [MergePiece] = []
      var pending = 0
      for number in numbers {
        guard let image = try snapshot.image(number) else { continue }
        let rows = image.rows.joined().filter { cells.contains($0) }
        for start in stride(from: 0, to: max(1, rows.count), by: Self.cellsMergedPerCommit) {
          let end = min(start + Self.cellsMergedPerCommit, rows.count)
          pieces.append(
            MergePiece(
              number: number, image: image, rows: Array(rows[start..<end]), isLast: end == rows.count))
          pending += end - start
          if pending < Self.cellsMergedPerCommit { continue }
          try write { try run.take(pieces, from: snapshot, &$0) }
          try progress(run.summary.cells)
          (pieces, pending) = ([], 0)
        }
      }
      try write { transaction in
        try run.take(pieces, from: snapshot, &transaction)
        try run.takeHeads(from: snapshot, &transaction)
      }
      try progress(run.summary.cells)
      return run.summary
    }
  }
}

/// Cells of one image of the source that are taken up together.
private struct MergePiece {
  let number: UInt32
  let image: ImageRecord
  let rows: [Row]
  /// Whether the image has no further cells.
  let isLast: Bool
}

/// A merge under way.
private struct MergeRun {
  private(set) var summary = MergeSummary()
  private let plan: MergePlan
  private let prefersSource: Bool
  /// The target's cells of the image that is being taken up, which may take several transactions.
  private var known: (image: UInt32, rows: [CellIdentity: Row])?

  init(_ plan: MergePlan, prefersSource: Bool) {
    self.plan = plan
    self.prefersSource = prefersSource
  }

  mutating func take(
    _ pieces: [MergePiece], from snapshot: borrowing Snapshot, _ transaction: inout WriteTransaction
  ) throws {
    for piece in pieces {
      let isKnown = try transaction.transaction.imageNumber(identity: piece.image.identity) != nil
      var record = piece.image
      record.rows = []
      let image = try transaction.addImage(record)
      if known?.image != image { known = (image, try transaction.rowsByIdentity(ofImage: image)) }
      let rows = try takeCells(piece, into: image, from: snapshot, &transaction)
      for pair in plan.spaces { try takeVectors(pair, rows, from: snapshot, &transaction) }
      if !isKnown { summary.newImages += 1 }
      guard piece.isLast else { continue }
      summary.images += 1
      for pair in plan.spaces {
        if let outcome = try snapshot.outcome(image: piece.number, space: pair.source),
          try !transaction.hasOutcome(image: image, space: pair.target)
        {
          try transaction.setOutcome(outcome, image: image, space: pair.target)
        }
      }
    }
  }

  /// - Returns: the target's row for each of the piece's rows.
  private mutating func takeCells(
    _ piece: MergePiece, into image: UInt32, from snapshot: borrowing Snapshot,
    _ transaction: inout WriteTransaction
  ) throws -> [Row: Row] {
    var rows: [Row: Row] = [:]
    var fresh: [(row: Row, cell: CellRecord)] = []
    for row in piece.rows {
      let cell = try snapshot.listedCell(at: row)
      summary.cells += 1
      var values: [UInt16: FieldValue] = [:]
      for (field, value) in cell.values {
        if let field = plan.fields[field]?.id { values[field] = value }
      }
      if let target = known?.rows[CellIdentity(cell.object, cell.geometry)] {
        rows[row] = target
        try merge(values, into: target, &transaction)
      } else {
        fresh.append(
          (row, CellRecord(image: image, object: cell.object, geometry: cell.geometry, values: values)))
      }
    }
    let added = try transaction.appendCells(fresh.map(\.cell), of: image)
    for (target, (row, cell)) in zip(added, fresh) {
      rows[row] = target
      known?.rows[CellIdentity(cell.object, cell.geometry)] = target
    }
    summary.newCells += fresh.count
    return rows
  }

  /// Gives a cell the values that it lacks.
  private mutating func merge(
    _ values: [UInt16: FieldValue], into row: Row, _ transaction: inout WriteTransaction
  ) throws {
    let own = try transaction.transaction.cell(at: row)?.values ?? [:]
    var changes: [UInt16: FieldValue?] = [:]
    for (field, value) in values where own[field] != value {
      if let present = own[field] {
        let name = plan.fields.values.first { $0.id == field }?.name ?? ""
        summary.conflicts[name, default: .init()].add(.init(row: row, target: present, source: value))
        if !prefersSource { continue }
      }
      changes[field] = value
    }
    if try transaction.setValues(changes, of: row) { summary.changedCells += 1 }
  }

  /// Copies the vectors of cells that have none in the target.
  private mutating func takeVectors(
    _ pair: MergePlan.SpacePair, _ rows: [Row: Row], from snapshot: borrowing Snapshot,
    _ transaction: inout WriteTransaction
  ) throws {
    guard let first = rows.values.min(), let last = rows.values.max() else { return }
    let held = try transaction.sets.rows(
      first..<last + 1, in: .space(pair.target.id), transaction.transaction)
    let missing = RowSet(rows.lazy.filter { !held.contains($0.value) }.map(\.key))
    let wanted = missing.intersection(try snapshot.rows(in: pair.source))
    var count = 0
    var vector = [Float](repeating: 0, count: pair.source.dimension)
    try snapshot.forEachVerifiedBlock(of: pair.source, with: wanted) { block in
      for row in block.rows {
        guard let target = rows[row] else { continue }
        block.widen(row, into: &vector)
        try vector.withUnsafeBufferPointer { try transaction.setVectors($0, of: [target], in: pair.target) }
        count += 1
      }
    }
    summary.vectors += count
  }

  mutating func takeHeads(from snapshot: borrowing Snapshot, _ transaction: inout WriteTransaction) throws {
    for entry in try snapshot.heads() {
      guard let space = plan.spaces.first(where: { $0.source.id == entry.space })?.target,
        let head = try snapshot.head(named: entry.name)
      else { continue }
      let moved = HeadRecord(name: head.name, space: space.id, summary: head.summary, weights: head.weights)
      if let present = try transaction.transaction.head(named: head.name) {
        if present != moved { summary.otherHeads.append(head.name) }
      } else {
        try transaction.saveHead(moved)
        summary.newHeads += 1
      }
    }
  }
}
