import Faults

extension WriteTransaction {
  /// Gives a field another name; its values stay.
  /// - Throws: `usage` when the name is empty or taken, or has control characters.
  package mutating func rename(_ field: Field, to name: String) throws {
    try requirePlainName(name, of: "field")
    guard !name.isEmpty, fieldsByName[name] == nil else {
      throw Fault(
        .usage, "field \"\(field.name)\"",
        "cannot be renamed to \"\(name)\": the name is \(name.isEmpty ? "empty" : "taken")",
        remedy: "choose another name")
    }
    fieldsByName[field.name] = nil
    var renamed = field
    renamed.name = name
    try put(renamed)
  }

  /// Removes a field that no cell has a value in, with its texts.
  mutating func remove(_ field: Field) throws {
    let prefix = Key().appending(field.id)
    for table in [Table.texts, .textIDs, .fields] { try transaction.deleteAll(table, prefix: prefix) }
    fieldsByName[field.name] = nil
  }
}

extension DatabaseWriter {
  /// Cells of which a field is cleared in one transaction.
  static let cellsClearedPerCommit = 20_000

  /// Removes a field and its values. A run that ends early has cleared the first cells, and keeps the field.
  /// - Parameter progress: called after each transaction with the number of cells done; a throw ends the run.
  package func drop(_ field: Field, progress: (Int) throws -> Void = { _ in }) throws {
    let rows = try database.read { try $0.rows(withValueIn: field).toArray() }
    for start in stride(from: 0, to: rows.count, by: Self.cellsClearedPerCommit) {
      let end = min(start + Self.cellsClearedPerCommit, rows.count)
      try write { transaction in
        for row in rows[start..<end] { try transaction.setValues([field.id: FieldValue?.none], of: row) }
      }
      try progress(end)
    }
    try write { try $0.remove(field) }
  }
}
