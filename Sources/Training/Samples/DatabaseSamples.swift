import Faults
package import Storage

/// What keeps cells together in one fold of cross-validation.
package enum FoldGrouping: Sendable, Equatable {
  /// Nothing: cells of one protein may be learned from and tested on.
  case none
  /// Cells of one image. For imported cells it is the one that their field `image` names; those that have no
  /// such value are one group an import.
  case image
  /// Cells with the same value in a field.
  case field(String)

  /// The word for the image a cell comes from; a field of this name tells it for imported cells alone.
  package static let imageWord = "image"

  /// What the cells are grouped by, as scores are labelled with it; nil for `none`.
  package var name: String? {
    switch self {
    case .none: nil
    case .image: Self.imageWord
    case .field(let name): name
    }
  }
}

/// The cells of a database that a head can learn from: those with a vector, a label and a group.
package struct DatabaseSamples: Sendable {
  /// The cell of each sample, increasing.
  package let rows: [Row]
  package let labels: LabelTable
  /// Whether the labels are of a list field, so that a cell may have several.
  package let areLists: Bool
  /// The group of each sample; nil when cells are not grouped.
  package let groups: [Int32]?
  /// The image or the value that each group is, by its number; empty when cells are not grouped.
  package let groupNames: [String]
  /// Cells that were left out because they have no label.
  package let unlabeledCount: Int
  /// Cells that were left out because they have a label, but nothing to be grouped by.
  package let ungroupedCount: Int

  /// - Parameter selection: cells to learn from; nil for all.
  /// - Throws: `missingInput` for an unknown field or when no cell is left; `usage` for a field of a type
  ///   that cannot be learned or grouped by.
  package init(
    snapshot: borrowing Snapshot, space: SpaceRecord, labelField: String, grouping: FoldGrouping,
    among selection: RowSet? = nil
  ) throws {
    let embedded = try snapshot.rows(in: space)
    try self.init(
      snapshot: snapshot, labelField: labelField, labelMap: nil, grouping: grouping,
      candidates: selection?.intersection(embedded) ?? embedded)
  }

  /// - Parameters:
  ///   - labelMap: what labels are called as classes; nil where they are the classes.
  ///   - candidates: cells to learn from, which have vectors.
  /// - Throws: as above, and `badData` for a label that the map does not know.
  init(
    snapshot: borrowing Snapshot, labelField: String, labelMap: LabelMap?, grouping: FoldGrouping,
    candidates: RowSet
  ) throws {
    let field = try snapshot.requiredField(labelField, of: [.list, .string], to: "learn")
    let texts = try snapshot.rowsByText(of: field, among: candidates)
    let classes = try labelMap?.rowsByClass(texts) ?? texts
    let labeled = classes.reduce(into: RowSet()) { $0.formUnion($1.rows) }
    let grouped = try snapshot.rowsByGroup(grouping, among: labeled)
    let kept = grouped?.reduce(into: RowSet()) { $0.formUnion($1.rows) } ?? labeled
    unlabeledCount = candidates.count - labeled.count
    ungroupedCount = labeled.count - kept.count
    let rows = kept.toArray()
    guard !labeled.isEmpty else {
      throw Fault(
        .missingInput, "field \"\(labelField)\"",
        "none of the \(candidates.count) cells has a label to learn",
        remedy: "select other cells, or label them in this field")
    }
    guard !rows.isEmpty else {
      throw Fault(
        .missingInput, "field \"\(grouping.name ?? FoldGrouping.imageWord)\"",
        "none of the \(labeled.count) cells with a label has a value to be grouped by",
        remedy: "group by another field, or fill this one with cellvec update")
    }
    let learned = classes.map { (text: $0.text, rows: $0.rows.intersection(kept)) }.filter {
      !$0.rows.isEmpty
    }
    try Self.requireOneSpelling(of: learned.map(\.text), field: labelField)

    self.rows = rows
    areLists = field.type == .list
    groupNames = grouped?.map(\.text) ?? []
    let samples = try SampleNumbers(rows, limit: snapshot.rowLimit())
    labels = try LabelTable(count: rows.count, classes: learned.map(\.text)) { place in
      learned[place].rows.toArray().lazy.map { Int32(samples[$0]) }
    }
    groups = grouped.map { grouped in
      var groups = [Int32](repeating: 0, count: rows.count)
      for (number, members) in grouped.enumerated() {
        for row in members.rows.toArray() { groups[samples[row]] = Int32(number) }
      }
      return groups
    }
  }

  /// - Throws: `badData` for two labels of the same letters in other code points (é as one, or as e with an accent): nobody
  ///   could tell their classes apart.
  private static func requireOneSpelling(of labels: [String], field: String) throws {
    // Swift's strings are equal where their letters are.
    var known: Set<String> = []
    for label in labels {
      let (isNew, other) = known.insert(label)
      if isNew { continue }
      throw Fault(
        .badData, "field \"\(field)\"", expected: "one spelling of \"\(label)\"",
        found: "\"\(codePoints(of: other))\" and \"\(codePoints(of: label))\"",
        remedy:
          "write it in one way, with cellvec update --set or in the table: letters with accents as one code point (NFC)"
      )
    }
  }

  /// The text, with its code points beyond ASCII as in `caf\u{E9}`.
  private static func codePoints(of text: String) -> String {
    text.unicodeScalars.map { $0.escaped(asASCII: true) }.joined()
  }

  /// The task of these labels, as of `LabelTable`.
  package func task(_ asked: ClassificationTask?) throws -> ClassificationTask {
    try labels.task(asked, areLists: areLists) { "cell \(rows[$0])" }
  }

  /// The number of groups; nil when cells are not grouped.
  package var groupCount: Int? { groups.map { Set($0).count } }
}

/// The number of the sample that a row is.
struct SampleNumbers {
  /// Of rows that are samples.
  private let numbers: ScratchTable<Int32>

  /// - Throws: as `ScratchTable`.
  init(_ rows: [Row], limit: Row) throws {
    numbers = try ScratchTable(count: Int(limit))
    for (sample, row) in rows.enumerated() { numbers[Int(row)] = Int32(sample) }
  }

  subscript(row: Row) -> Int { Int(numbers[Int(row)]) }
}

extension Snapshot {
  /// - Parameter purpose: what the field is wanted for, in the infinitive.
  fileprivate func requiredField(_ name: String, of types: [FieldType], to purpose: String) throws -> Field {
    let field = try requiredField(named: name)
    guard types.contains(field.type) else {
      if field.type == .number, types.contains(.list) {
        throw Fault(
          .usage, "field \"\(name)\"", "holds numbers, which are no classes: these are texts",
          remedy:
            "import it with --type \(name)=string; where it is in the database already, drop it with cellvec "
            + "fields drop \(name), and read it again with cellvec update --metadata TABLE --type \(name)=string"
        )
      }
      throw Fault(
        .usage, "field \"\(name)\"", "holds \(field.type.rawValue)s, which cells cannot \(purpose) by",
        remedy: "name a field of type \(types.map(\.rawValue).joined(separator: " or "))")
    }
    return field
  }

  /// The cells of each text of a field, in order of the texts; texts without a cell are left out.
  fileprivate func rowsByText(
    of field: Field, among candidates: RowSet
  ) throws -> [(text: String, rows: RowSet)] {
    try distinctTexts(field).compactMap { text, _ in
      let rows = try rows(field, equals: text).intersection(candidates)
      return rows.isEmpty ? nil : (text, rows)
    }
  }

  /// The cells of each group by its name; nil when cells are not grouped. Cells in no group are in no set.
  func rowsByGroup(
    _ grouping: FoldGrouping, among candidates: RowSet
  ) throws -> [(text: String, rows: RowSet)]? {
    switch grouping {
    case .none: return nil
    case .image:
      return try rowsByImage(among: candidates)
    case .field(let name):
      let field = try requiredField(name, of: [.string, .number], to: "be grouped")
      if field.type == .string { return try rowsByText(of: field, among: candidates) }
      var rowsByNumber: [Double: RowSet] = [:]
      for row in candidates.toArray() {
        if case .number(let number) = try listedCell(at: row, reading: [field.id]).values[field.id] {
          rowsByNumber[number, default: RowSet()].insert(row)
        }
      }
      return rowsByNumber.sorted { $0.key < $1.key }.map { (formatNumber($0.key), $0.value) }
    }
  }

  /// The cells of each image by its name: for imported ones the image that their field names, if it does.
  package func rowsByImage(among candidates: RowSet) throws -> [(text: String, rows: RowSet)] {
    try cellsByImage(among: candidates).map { ($0.name, $0.rows) }
  }

  /// The same, which tells images from imported arrays.
  func cellsByImage(among candidates: RowSet) throws -> [ImageCells] {
    var imported = RowSet()
    var images: [ImageCells] = []
    try forEachImage { _, image in
      let rows = image.rows.reduce(into: RowSet()) { $0.formUnion(RowSet($1)) }.intersection(candidates)
      // Imports have no extent.
      let isArray = image.width == 0
      images.append(ImageCells(name: image.name, rows: rows, isArray: isArray))
      if isArray { imported.formUnion(rows) }
    }
    if let field = field(named: FoldGrouping.imageWord), field.type == .string {
      let named = try rowsByText(of: field, among: imported)
      let known = named.reduce(into: RowSet()) { $0.formUnion($1.rows) }
      for place in images.indices { images[place].rows = images[place].rows.subtracting(known) }
      images += named.map { ImageCells(name: $0.text, rows: $0.rows, isArray: false) }
    }
    return images.filter { !$0.rows.isEmpty }
  }
}

/// Cells of an image, or those of an imported array that name no image.
struct ImageCells {
  let name: String
  fileprivate(set) var rows: RowSet
  /// Whether nobody knows which images they are of.
  let isArray: Bool
}
