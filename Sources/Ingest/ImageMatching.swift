import Faults
import Formats
import Imaging

/// Which rows of a table belong to which image.
struct ImageMatching {
  /// Rows of the table for each image, in order of the images.
  let rowsByImage: [[Int]]
  /// Rows that no image matched.
  let unmatchedRows: [Int]
  /// What was compared, for the summary.
  let description: String

  /// - Parameter groups: the named groups of each image's name; empty without a name pattern.
  /// - Throws: `usage` for an unknown column, `badData` when no row matches an image.
  init(
    _ table: CSVTable, path: String, join: String?, groups: [[String: String]], images: [FieldOfView]
  ) throws {
    let columns = table.columns
    let grouped = columns.indices.filter { column in
      groups.contains { $0[fieldName(ofColumn: columns[column])] != nil }
    }
    if let join {
      guard let column = columns.firstIndex(where: { $0 == join || fieldName(ofColumn: $0) == join }) else {
        throw Fault(
          .usage, "--join \(join)", "names no column of \(path)",
          remedy: "columns: \(columns.joined(separator: ", "))")
      }
      let found = ImageNames.allCases.lazy.map { ($0, $0.rows(of: table, column: column, images)) }
        .first { $0.1.contains { !$0.isEmpty } }
      try self.init(found?.1, "column \"\(join)\" with \(found?.0.rawValue ?? "names")", table, path, images)
    } else if !grouped.isEmpty {
      let names = grouped.map { columns[$0] }
      let keys = Dictionary(grouping: table.rows.indices) { row in grouped.map { table.rows[row][$0] } }
      let rows = groups.map { group in
        keys[names.map { group[fieldName(ofColumn: $0)] ?? "" }] ?? []
      }
      try self.init(
        rows, "columns \(names.joined(separator: ", ")) with the name pattern", table, path, images)
    } else {
      var best: (rows: [[Int]], matched: Int, description: String)?
      for names in ImageNames.allCases where best == nil {
        for column in columns.indices {
          let rows = names.rows(of: table, column: column, images)
          let matched = rows.count { !$0.isEmpty }
          if matched > best?.matched ?? 0 {
            best = (rows, matched, "column \"\(columns[column])\" with \(names.rawValue)")
          }
        }
      }
      try self.init(best?.rows, best?.description ?? "", table, path, images)
    }
  }

  private init(
    _ rows: [[Int]]?, _ description: String, _ table: CSVTable, _ path: String, _ images: [FieldOfView]
  ) throws {
    guard let rows, rows.contains(where: { !$0.isEmpty }) else {
      throw Fault(
        .badData, path, expected: "a column that names images such as \"\(images.first?.name ?? "")\"",
        found: "none in \(table.columns.joined(separator: ", "))",
        remedy: "name the column with --join, or take the names apart with --name-pattern")
    }
    rowsByImage = rows
    let matched = Set(rows.joined())
    unmatchedRows = table.rows.indices.filter { !matched.contains($0) }
    self.description = description
  }
}

/// The ways in which a table may call an image, surest first.
private enum ImageNames: String, CaseIterable {
  case names = "image names"
  case files = "file names"
  case parts = "parts of image names"

  /// The rows whose value in the column is one of an image's names, for each image.
  func rows(of table: CSVTable, column: Int, _ images: [FieldOfView]) -> [[Int]] {
    let rowsByValue = Dictionary(grouping: table.rows.indices) { table.rows[$0][column] }
    return images.map { image in
      var rows: [Int] = []
      for name in candidates(image) where !name.isEmpty { rows += rowsByValue[name] ?? [] }
      return Array(Set(rows)).sorted()
    }
  }

  private func candidates(_ image: FieldOfView) -> Set<String> {
    switch self {
    case .names: [image.name, lastComponent(image.name)]
    case .files: Set(image.channels.flatMap { tails(of: $0.path) })
    case .parts: Set(image.name.split { "_-/ .".contains($0) }.map(String.init))
    }
  }

  /// `c.png`, `c`, `b/c.png`, `a/b/c.png`, … of `a/b/c.png`.
  private func tails(of path: String) -> [String] {
    let components = path.split(separator: "/")
    let file = components.last.map(String.init) ?? path
    let stem = file.lastIndex(of: ".").map { String(file[..<$0]) } ?? file
    return [stem] + components.indices.map { components[$0...].joined(separator: "/") }
  }

  private func lastComponent(_ name: String) -> String {
    name.split(separator: "/").last.map(String.init) ?? name
  }
}
