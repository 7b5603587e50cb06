import Faults
import Formats
import Imaging
import Storage

/// Which rows of a table belong to which cells of a database.
struct CellMatching {
  /// Lines of the table with the same key, and the cells that have it.
  struct Target {
    let lines: [Int]
    let rows: RowSet
  }

  /// In order of their first lines.
  let targets: [Target]
  /// Lines that no cell matched.
  let unmatchedLines: [Int]
  /// Columns that say which cells are meant.
  let keyColumns: Set<Int>
  /// What was compared.
  let description: String

  /// The column that holds cells' numbers, as exports have it.
  static let cellColumn = "cell"
  /// The column of objects' labels in the mask, or of places in an imported array.
  static let labelColumn = "label"

  /// - Parameter join: columns separated by commas, of which each is a field of the database, "cell" or "label"; nil
  ///   for "cell" where the table has it, else for the columns that name images.
  /// - Throws: `usage` for a column that cannot be joined by, `badData` when nothing matches.
  init(_ table: CSVTable, path: String, join: String?, in snapshot: borrowing Snapshot) throws {
    let names = join.map { $0.split(separator: ",").map { String($0).trimmingSpaces }.filter { !$0.isEmpty } }
    if let names = names ?? (table.columns.contains(Self.cellColumn) ? [Self.cellColumn] : nil) {
      try self.init(table, path: path, columns: names, in: snapshot)
    } else {
      try self.init(imagesOf: table, path: path, in: snapshot)
    }
    guard !targets.isEmpty else {
      throw Fault(
        .badData, path, expected: "lines of cells in the database, by \(description)", found: "none",
        remedy: "name the columns to compare with --join")
    }
  }

  private init(
    _ table: CSVTable, path: String, columns names: [String], in snapshot: borrowing Snapshot
  ) throws {
    let columns = try names.map { name in
      guard let column = table.columns.firstIndex(where: { $0 == name || fieldName(ofColumn: $0) == name })
      else {
        throw Fault(
          .usage, "--join \(name)", "names no column of \(path)",
          remedy: "columns: \(table.columns.joined(separator: ", "))")
      }
      return column
    }
    var keys: [CellKey] = []
    for name in names { keys.append(try CellKey(named: name, in: snapshot)) }
    let linesByKey = Dictionary(grouping: table.rows.indices) { line in columns.map { table.rows[line][$0] } }
    var targets: [Target] = []
    var unmatched: [Int] = []
    for (texts, lines) in linesByKey.sorted(by: { $0.value[0] < $1.value[0] }) {
      var rows: RowSet?
      for (key, text) in zip(keys, texts) {
        let found = try key.rows(text, in: snapshot)
        rows = rows?.intersection(found) ?? found
      }
      if let rows, !rows.isEmpty {
        targets.append(Target(lines: lines, rows: rows))
      } else {
        unmatched += lines
      }
    }
    self.targets = targets
    unmatchedLines = unmatched.sorted()
    keyColumns = Set(columns)
    description = names.joined(separator: ", ")
  }

  /// Joins by names of images as ingest does.
  private init(imagesOf table: CSVTable, path: String, in snapshot: borrowing Snapshot) throws {
    var images: [FieldOfView] = []
    var rows: [RowSet] = []
    let cells = try snapshot.allRows()
    try snapshot.forEachImage { _, image in
      let own = image.rows.reduce(into: RowSet()) { $0.formUnion(RowSet($1)) }.intersection(cells)
      if own.isEmpty { return }
      images.append(
        FieldOfView(
          name: image.name,
          channels: image.files.map { ChannelSource(role: $0.role, path: $0.path, plane: $0.plane) }))
      rows.append(own)
    }
    let matching = try ImageMatching(
      table, path: path, join: nil, groups: images.map { _ in [:] }, images: images)
    targets = zip(matching.rowsByImage, rows).filter { !$0.0.isEmpty }.map { Target(lines: $0, rows: $1) }
    unmatchedLines = matching.unmatchedRows
    keyColumns = []
    description = matching.description
  }
}

/// One part of what a table calls a cell.
private enum CellKey {
  case number(all: RowSet)
  case label([UInt32: RowSet])
  case field(Field)

  init(named name: String, in snapshot: borrowing Snapshot) throws {
    if name == CellMatching.cellColumn {
      self = .number(all: try snapshot.allRows())
    } else if let field = snapshot.field(named: fieldName(ofColumn: name)) {
      self = .field(field)
    } else if name == CellMatching.labelColumn {
      var labels: [UInt32: RowSet] = [:]
      for row in try snapshot.allRows().toArray() {
        switch try snapshot.cell(at: row)?.object {
        case .label(let number), .index(let number): labels[number, default: RowSet()].insert(row)
        default: continue
        }
      }
      self = .label(labels)
    } else {
      throw Fault(
        .usage, "--join \(name)", "names no field of the database",
        remedy: adviceOnUnknownName("field", name, among: snapshot.fields.map(\.name) + ["cell", "label"]))
    }
  }

  func rows(_ text: String, in snapshot: borrowing Snapshot) throws -> RowSet {
    switch self {
    case .number(let all): return Row(text).map { all.contains($0) ? RowSet([$0]) : RowSet() } ?? RowSet()
    case .label(let labels): return UInt32(text).flatMap { labels[$0] } ?? RowSet()
    case .field(let field) where field.type == .number:
      return try decimalNumber(text.trimmingSpaces).map { try snapshot.rows(field, among: [$0]) } ?? RowSet()
    case .field(let field): return try snapshot.rows(field, equals: text)
    }
  }
}
