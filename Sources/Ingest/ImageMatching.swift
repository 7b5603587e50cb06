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
      try self.init(
        ImageMatching.best(among: [column], isAsked: true, of: table, images), table, path, images)
    } else if !grouped.isEmpty {
      let names = grouped.map { columns[$0] }
      let keys = Dictionary(grouping: table.rows.indices) { row in grouped.map { table.rows[row][$0] } }
      let rows = groups.map { group in
        keys[names.map { group[fieldName(ofColumn: $0)] ?? "" }] ?? []
      }
      let description = "columns \(names.joined(separator: ", ")) with the name pattern"
      try self.init((rows, description), table, path, images)
    } else {
      try self.init(
        ImageMatching.best(among: Array(columns.indices), isAsked: false, of: table, images), table, path,
        images)
    }
  }

  private init(
    _ found: (rows: [[Int]], description: String)?, _ table: CSVTable, _ path: String, _ images: [FieldOfView]
  ) throws {
    guard let (rows, description) = found, rows.contains(where: { !$0.isEmpty }) else {
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

  /// The columns that together say best which rows are an image's, by the surest kind of name that any of them
  /// holds; nil when none holds any.
  ///
  /// A plate's name leaves many rows to an image, its well's too, both together one: columns are added for as
  /// long as that tells more. Short numbers are parts of many names and values of many columns: they name nothing by
  /// themselves.
  /// - Parameter isAsked: whether it was said that these columns name images.
  private static func best(
    among columns: [Int], isAsked: Bool, of table: CSVTable, _ images: [FieldOfView]
  ) -> (rows: [[Int]], description: String)? {
    for kind in ImageNames.allCases {
      let join = NameJoin(table, names: images.map(kind.names(of:)))
      let candidates = columns.filter { join.distinctness(of: [$0]) != .none }
      var chosen: [Int] = []
      var reached = Distinctness.none
      while let (column, distinctness) = candidates.filter({ !chosen.contains($0) })
        .map({ ($0, join.distinctness(of: chosen + [$0])) })
        .reduce(nil as (Int, Distinctness)?, { best, next in next.1 > best?.1 ?? reached ? next : best })
      {
        chosen.append(column)
        reached = distinctness
      }
      if chosen.isEmpty { continue }
      if kind == .parts, !isAsked, chosen.allSatisfy(join.holdsShortNumbersAlone) {
        // Another column that holds names of the same images vouches for them, as that of the well for the site's.
        let witness = candidates.first {
          !join.holdsShortNumbersAlone($0) && join.distinctness(of: chosen + [$0]) >= reached
        }
        guard let witness else { continue }
        chosen.append(witness)
      }
      chosen.sort()
      let titles = chosen.map { "\"\(table.columns[$0])\"" }.joined(separator: ", ")
      let noun = chosen.count == 1 ? "column" : "columns"
      return (join.rows(of: chosen), "\(noun) \(titles) with \(kind.rawValue)")
    }
    return nil
  }
}

/// How well images and rows of a table are told apart by what they have in common.
///
/// Where they fall into groups in which every image has every row, `groups` is their number squared: 1 for a
/// plate's name on all images and rows, large for wells.
private struct Distinctness: Comparable {
  static let none = Distinctness(images: 0, rows: 0)

  private let groups: Double
  /// Sum over images of 1 / (rows of the image).
  private let images: Double

  /// - Parameter rows: sum over rows of 1 / (images of the row).
  init(images: Double, rows: Double) {
    // Rounded, so that sums in another order are equal.
    groups = (images * rows * 1e6).rounded() / 1e6
    self.images = (images * 1e6).rounded() / 1e6
  }

  static func < (left: Distinctness, right: Distinctness) -> Bool {
    (left.groups, left.images) < (right.groups, right.images)
  }
}

/// Rows of a table and the names of images: a row is an image's when its values are all among the image's names.
private struct NameJoin {
  private let table: CSVTable
  private let names: [Set<String>]
  private let values: [Set<String>]

  init(_ table: CSVTable, names: [Set<String>]) {
    self.table = table
    self.names = names
    values = table.columns.indices.map { column in Set(table.rows.lazy.map { $0[column] }) }
  }

  /// The rows of each image when these columns must hold names of it.
  func rows(of columns: [Int]) -> [[Int]] {
    let rowsByKey = Dictionary(grouping: table.rows.indices) { row in columns.map { table.rows[row][$0] } }
    return names.map { names in keys(of: names, columns).flatMap { rowsByKey[$0] ?? [] }.sorted() }
  }

  /// How well names in these columns tell images and rows apart.
  func distinctness(of columns: [Int]) -> Distinctness {
    var rowCounts: [[String]: Int] = [:]
    for row in table.rows { rowCounts[columns.map { row[$0] }, default: 0] += 1 }
    var imageCounts: [[String]: Int] = [:]
    var images = 0.0
    for names in names {
      let found = keys(of: names, columns).filter { rowCounts[$0] != nil }
      for key in found { imageCounts[key, default: 0] += 1 }
      if !found.isEmpty { images += 1 / Double(found.reduce(0) { $0 + (rowCounts[$1] ?? 0) }) }
    }
    let rows = imageCounts.reduce(0) { $0 + Double(rowCounts[$1.key] ?? 0) / Double($1.value) }
    return Distinctness(images: images, rows: rows)
  }

  /// Whether all names of images that a column holds are numbers of three digits at most.
  func holdsShortNumbersAlone(_ column: Int) -> Bool {
    names.allSatisfy { names in
      names.filter(values[column].contains).allSatisfy { name in
        name.utf8.count <= 3 && name.utf8.allSatisfy { (48...57).contains($0) }
      }
    }
  }

  /// Every way in which names of one image can stand in the columns.
  private func keys(of names: Set<String>, _ columns: [Int]) -> [[String]] {
    columns.reduce([[]]) { keys, column in
      let found = names.filter(values[column].contains)
      return keys.flatMap { key in found.map { key + [$0] } }
    }
  }
}

/// The ways in which a table may call an image, surest first.
private enum ImageNames: String, CaseIterable {
  case names = "image names"
  case files = "file names"
  case parts = "parts of image names"

  func names(of image: FieldOfView) -> Set<String> {
    let names: Set =
      switch self {
      case .names: [image.name, lastComponent(image.name)]
      case .files: Set(image.channels.flatMap { tails(of: $0.path) })
      case .parts: Set(image.name.split { "_-/ .".contains($0) }.map(String.init))
      }
    return names.filter { !$0.isEmpty }
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
