import Faults
import Formats
package import Storage

/// New values for cells that the database has already.
package struct MetadataUpdate: Sendable {
  /// Cells changed in one transaction.
  static let cellsPerCommit = 20_000

  /// What happens to one field.
  package struct Column: Sendable {
    package let name: String
    package let type: FieldType
    package let isNew: Bool
    /// Cells that get a value.
    package fileprivate(set) var set = 0
    /// Cells that lose theirs.
    package fileprivate(set) var cleared = 0
    /// Cells that keep theirs, because lines of the table contradict one another.
    package fileprivate(set) var contradictory = 0
  }

  private struct Change {
    let rows: RowSet
    /// Values by column; nil clears.
    let values: [Int: FieldValue?]
  }

  package private(set) var columns: [Column] = []
  /// Cells that are meant.
  package private(set) var cells = RowSet()
  /// Line numbers of the table that matched no cell.
  package private(set) var unmatchedLines: [Int] = []
  /// What of the table and the cells was compared; nil without a table.
  package let join: String?
  private var changes: [Change] = []

  /// Values from a table.
  /// - Parameters:
  ///   - join: as `CellMatching` takes it.
  ///   - clearsEmpty: whether an empty entry of the table clears a value; otherwise it leaves it.
  ///   - selection: the cells that may change; nil for all.
  /// - Throws: `usage` for columns or types that cannot be used, `badData` for a table that cannot be read or matches
  ///   no cell.
  package init(
    table path: String, join: String?, types: [String: FieldType], clearsEmpty: Bool,
    among selection: RowSet?, in snapshot: borrowing Snapshot
  ) throws {
    let table = try CSVTable(path: path)
    try checkAskedTypes(types, among: table.columns)
    let matching = try CellMatching(table, path: path, join: join, in: snapshot)
    let inferred = table.columns.indices.map { column in
      table.rows.reduce(into: ColumnInference()) { $0.observe($1[column]) }
    }
    let typings = try columnTypings(
      table.columns, asked: types, existing: snapshot.fields, inferred: inferred)
    let used = typings.indices.filter { column in
      let name = typings[column].name
      return !name.isEmpty && name != ImageMetadata.imageField && !reservedNames.contains(name)
        && !matching.keyColumns.contains(column)
    }
    guard !used.isEmpty else {
      throw Fault(
        .badData, path, expected: "a column of values beside those that name cells", found: "none",
        remedy: "columns: \(table.columns.joined(separator: ", "))")
    }
    self.join = matching.description
    unmatchedLines = matching.unmatchedLines.map { table.lineNumbers[$0] }
    addColumns(used.map { typings[$0] }, existing: snapshot.fields)
    for target in matching.targets {
      let rows = selection.map { target.rows.intersection($0) } ?? target.rows
      if rows.isEmpty { continue }
      var values: [Int: FieldValue?] = [:]
      for (index, column) in used.enumerated() {
        let found = try target.lines.map {
          try typings[column].value(of: table.rows[$0][column], at: "\(path) line \(table.lineNumbers[$0])")
        }
        if found.dropFirst().contains(where: { $0 != found[0] }) {
          columns[index].contradictory += rows.count
        } else if found[0] != nil || clearsEmpty {
          values[index] = .some(found[0])
        }
      }
      add(Change(rows: rows, values: values))
    }
  }

  /// The same values for all of some cells.
  /// - Parameters:
  ///   - assignments: texts as a table would have them, by field; a field is made when it is new.
  ///   - cleared: fields whose values go.
  /// - Throws: `usage` for a name or type that cannot be used, `badData` for a text that is no number,
  ///   `missingInput` for an unknown field to clear.
  package init(
    setting assignments: [(field: String, text: String)], clearing cleared: [String],
    types: [String: FieldType], of rows: RowSet, in snapshot: borrowing Snapshot
  ) throws {
    join = nil
    let names = assignments.map(\.field)
    try checkAskedTypes(types, among: names)
    let inferred = assignments.map { assignment in
      var inference = ColumnInference()
      inference.observe(assignment.text)
      return inference
    }
    let set = try columnTypings(names, asked: types, existing: snapshot.fields, inferred: inferred)
    for typing in set { try checkFieldName(typing.name) }
    var gone: [ColumnTyping] = []
    for name in cleared {
      let field = try snapshot.requiredField(named: name)
      guard !set.contains(where: { $0.name == name }) else {
        throw Fault(.usage, "field \"\(name)\"", "is to be set and cleared", remedy: "leave out one of them")
      }
      try checkFieldName(name)
      gone.append(ColumnTyping(name: field.name, type: field.type))
    }
    addColumns(set + gone, existing: snapshot.fields)
    var values: [Int: FieldValue?] = [:]
    for (index, (typing, assignment)) in zip(set, assignments).enumerated() {
      guard let value = try typing.value(of: assignment.text, at: "--set \(typing.name)") else {
        throw Fault(
          .usage, "--set \(typing.name)", expected: "a value", found: "\"\(assignment.text)\"",
          remedy: "--clear \(typing.name) removes values")
      }
      values[index] = value
    }
    for index in gone.indices { values[set.count + index] = .some(nil) }
    add(Change(rows: rows, values: values))
  }

  private mutating func addColumns(_ typings: [ColumnTyping], existing: [Field]) {
    columns = typings.map { typing in
      Column(name: typing.name, type: typing.type, isNew: !existing.contains { $0.name == typing.name })
    }
  }

  private mutating func add(_ change: Change) {
    for (index, value) in change.values {
      if value == nil {
        columns[index].cleared += change.rows.count
      } else {
        columns[index].set += change.rows.count
      }
    }
    cells.formUnion(change.rows)
    changes.append(change)
  }

  /// Writes the values in transactions of bounded size. A run that ends early is completed by the same one again.
  /// - Parameter progress: called after each transaction with the number of cells done; a throw ends the run.
  /// - Returns: cells of which a value has changed.
  package func run(on writer: DatabaseWriter, progress: (Int) throws -> Void = { _ in }) throws -> Int {
    // In order of rows: cells beside one another share chunks of indexes.
    let steps = changes.indices.flatMap { change in
      changes[change].rows.toArray().map { (row: $0, change: change) }
    }
    .sorted { ($0.row, $0.change) < ($1.row, $1.change) }
    var changed = 0
    for start in stride(from: 0, to: steps.count, by: Self.cellsPerCommit) {
      let end = min(start + Self.cellsPerCommit, steps.count)
      try writer.write { transaction in
        let fields = try columns.map { column in
          column.set > 0 || !column.isNew
            ? try transaction.field(named: column.name, type: column.type).id : nil
        }
        for step in steps[start..<end] {
          var values: [UInt16: FieldValue?] = [:]
          for (index, value) in changes[step.change].values {
            if let field = fields[index] { values[field] = .some(value) }
          }
          if try transaction.setValues(values, of: step.row) { changed += 1 }
        }
      }
      try progress(end)
    }
    return changed
  }
}

/// - Throws: `usage` for a name that reports, or the cells of every image, have already.
package func checkFieldName(_ name: String) throws {
  guard name.isEmpty || name == ImageMetadata.imageField || reservedNames.contains(name) else { return }
  throw Fault(
    .usage, "field \"\(name)\"", name.isEmpty ? "has no name" : "has a name that cellvec uses itself",
    remedy: "name another field")
}
