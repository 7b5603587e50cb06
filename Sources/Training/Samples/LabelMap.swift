import Faults
import Formats
import Storage

/// What the labels of several data sets are called when they are learned together: a table of two columns, `label` and
/// `class`.
///
/// A label may stand on several lines, for several classes. An empty class leaves the label out. What is a class of
/// the map is one without a line too.
package struct LabelMap: Sendable, Equatable {
  /// A file, or the name of a map of the program.
  package let name: String
  private let classes: [String: [String]]

  /// - Parameter name: a map of the program (see schema/labels), else a file.
  /// - Throws: `missingInput` where neither is there; `badData` for a file that is no such table.
  package init(named name: String) throws {
    try self.init(Self.table(named: name), name: name)
  }

  private static func table(named name: String) throws -> CSVTable {
    if let text = bundled[name] { return try CSVTable(text: text, name: name) }
    do {
      return try CSVTable(path: name)
    } catch let fault where fault.kind == .missingInput {
      throw Fault.unknownName(.missingInput, "label map", name, among: bundled.keys.sorted())
    }
  }

  init(_ table: CSVTable, name: String) throws(Fault) {
    guard let label = table.columns.firstIndex(of: "label"),
      let target = table.columns.firstIndex(of: "class")
    else {
      throw Fault(
        .badData, name, expected: "columns label and class", found: table.columns.joined(separator: ", "),
        remedy: "name the columns in the first line")
    }
    var classes: [String: [String]] = [:]
    for (row, line) in zip(table.rows, table.lineNumbers) {
      guard !row[label].isEmpty else { throw Fault(.badData, "\(name) line \(line)", "has no label") }
      classes[row[label], default: []] += row[target].isEmpty ? [] : [row[target]]
    }
    for target in classes.values.joined() where classes[target] == nil { classes[target] = [target] }
    self.name = name
    self.classes = classes
  }

  /// The classes of a label; nil for one that the map does not know.
  package func classes(of label: String) -> [String]? { classes[label] }

  /// The cells of each class that has some, in order of the classes.
  /// - Throws: `badData` for a label that the map does not know.
  func rowsByClass(
    _ labels: [(text: String, rows: RowSet)]
  ) throws -> [(text: String, rows: RowSet)] {
    var rows: [String: RowSet] = [:]
    for label in labels {
      guard let targets = classes(of: label.text) else {
        throw Fault(
          .badData, "label \"\(label.text)\"",
          "is not in the label map \(name), and \(label.rows.count) cells have it",
          remedy: "add a line for it, with an empty class to leave it out")
      }
      for target in targets { rows[target, default: RowSet()].formUnion(label.rows) }
    }
    return rows.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}
