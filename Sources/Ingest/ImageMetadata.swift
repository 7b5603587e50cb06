import Faults
import Formats
package import Imaging
package import Storage

/// Values that a metadata table, or the images' own names, give to the cells of each image.
package struct ImageMetadata: Sendable {
  /// The field that holds every cell's image name.
  package static let imageField = Field.imageName

  package let summary: MetadataSummary?
  /// The table as it was read; nil where there is none, or it was no regular file.
  package let source: SourceTable?
  private let valuesByImage: [String: [(field: ColumnTyping, value: FieldValue)]]

  /// Joins a table to images.
  /// - Parameters:
  ///   - table: path of a CSV or TSV file; nil when only names are parsed.
  ///   - join: the column whose values name images; nil to find the one that matches most images.
  ///   - namePattern: a regular expression whose named groups, found in an image's name, become fields and,
  ///     where the table has columns of those names, the join.
  ///   - types: types of columns that are not to be guessed.
  /// - Throws: `usage` for a pattern or column that cannot be used, `badData` for a table that cannot be read
  ///   or matches no image.
  package init(
    table path: String?, join: String?, namePattern: String?, types: [String: FieldType],
    images: [FieldOfView], existing: [Field]
  ) throws {
    let names = try namePattern.map { try NamePattern($0) }
    let groups = images.map { names?.groups(in: $0.name) ?? [:] }
    var values: [String: [(field: ColumnTyping, value: FieldValue)]] = [:]
    if let names {
      let inferred = names.fields.map { field in
        groups.reduce(into: ColumnInference()) { $0.observe($1[field] ?? "") }
      }
      let typings = try columnTypings(names.fields, asked: types, existing: existing, inferred: inferred)
      for (image, group) in zip(images, groups) {
        for typing in typings {
          guard let text = group[typing.name], let value = try typing.value(of: text, at: image.name) else {
            continue
          }
          values[image.name, default: []].append((typing, value))
        }
      }
    }
    guard let path else {
      try checkAskedTypes(types, among: names?.fields ?? [])
      (summary, source) = (nil, nil)
      valuesByImage = values
      return
    }
    var source: SourceTable?
    let table = try CSVTable(path: path) { source = SourceTable(at: path, of: $0) }
    self.source = source
    try checkAskedTypes(types, among: (names?.fields ?? []) + table.columns)
    let matching = try ImageMatching(table, path: path, join: join, groups: groups, images: images)
    let inferred = table.columns.indices.map { column in
      table.rows.reduce(into: ColumnInference()) { $0.observe($1[column]) }
    }
    let typings = try columnTypings(table.columns, asked: types, existing: existing, inferred: inferred)
    var contradictions: [String: Int] = [:]
    for (image, rows) in zip(images, matching.rowsByImage) where !rows.isEmpty {
      for (column, typing) in typings.enumerated()
      where !typing.name.isEmpty && typing.name != ImageMetadata.imageField
        && !reservedNames.contains(typing.name)
      {
        let found = try rows.map {
          try typing.value(of: table.rows[$0][column], at: "\(path) line \(table.lineNumbers[$0])")
        }
        if found.dropFirst().contains(where: { $0 != found[0] }) {
          contradictions[typing.name, default: 0] += 1
        } else if let value = found[0], names?.fields.contains(typing.name) != true {
          values[image.name, default: []].append((typing, value))
        }
      }
    }
    valuesByImage = values
    summary = MetadataSummary(
      join: matching.description, matchedImages: matching.rowsByImage.count { !$0.isEmpty },
      unmatchedImages: zip(images, matching.rowsByImage).filter { $1.isEmpty }.map { $0.0.name },
      unmatchedLines: matching.unmatchedRows.map { table.lineNumbers[$0] }, contradictions: contradictions,
      skippedColumns: table.columns.filter { reservedNames.contains(fieldName(ofColumn: $0)) })
  }

  /// The fields that at least one image has a value in, in order of their names.
  package var fields: [ColumnTyping] {
    var byName: [String: ColumnTyping] = [:]
    for (typing, _) in valuesByImage.values.joined() { byName[typing.name] = typing }
    return byName.values.sorted { $0.name < $1.name }
  }

  func hasValues(of image: String) -> Bool { valuesByImage[image]?.isEmpty == false }

  /// The values of an image by the name of their field.
  package func values(of image: String) -> [String: FieldValue] {
    Dictionary((valuesByImage[image] ?? []).map { ($0.field.name, $0.value) }, uniquingKeysWith: { $1 })
  }

  /// The values for the cells of an image by field id; fields are made when they are new.
  func values(
    of image: FieldOfView, _ transaction: inout WriteTransaction
  ) throws -> [UInt16: FieldValue] {
    var values: [UInt16: FieldValue] = [:]
    for (typing, value) in valuesByImage[image.name] ?? [] {
      values[try transaction.field(named: typing.name, type: typing.type).id] = value
    }
    return values
  }
}

/// A regular expression with named groups that takes image names apart.
private struct NamePattern {
  let fields: [String]
  private let expression: Regex<AnyRegexOutput>

  init(_ text: String) throws {
    do {
      expression = try Regex(text)
    } catch {
      throw Fault(.usage, "--name-pattern", "is not a regular expression: \(error)")
    }
    fields = text.matches(of: /\(\?P?<([A-Za-z_][A-Za-z0-9_]*)>/).map { String($0.output.1) }
    if fields.isEmpty {
      throw Fault(
        .usage, "--name-pattern", expected: "named groups such as (?<well>[A-H]\\d\\d)", found: "none")
    }
    let taken = reservedNames.union([ImageMetadata.imageField])
    if let field = fields.first(where: taken.contains) {
      throw Fault(
        .usage, "--name-pattern", "names a group \"\(field)\", which every cell has already",
        remedy: "give the group another name")
    }
  }

  /// The texts of the named groups; empty when the name does not match.
  func groups(in name: String) -> [String: String] {
    guard let match = try? expression.firstMatch(in: name) else { return [:] }
    var groups: [String: String] = [:]
    for output in match.output {
      if let field = output.name, let text = output.substring { groups[field] = String(text) }
    }
    return groups
  }
}
