import Backbone
import Faults
import Ingest
import Storage
import Training

/// What a database holds, as `stats` writes it.
struct DatabaseStatistics: Encodable {
  let path: String
  let formatVersion: Int
  let byteCount: Int
  let images: Int
  let cells: Int
  let spaces: [Space]
  let fields: [FieldStatistics]
  let heads: [HeadListing]
  let parts: [Part]

  /// What occupies bytes of the file.
  struct Part: Encodable {
    /// "table" for a part of the file, "space" or "field" for a part of tables.
    let kind: String
    let name: String
    let entries: Int
    let byteCount: Int
  }

  struct Space: Encodable {
    let name: String
    let dimension: Int
    /// The numbers that the vectors are kept in.
    let dtype: ScalarType
    let vectors: Int
    /// Digest of the backbone's weights; nil for imported vectors.
    let backbone: String?
    let backbonePath: String?
    /// The branch of that file; nil for the usual one.
    let backboneBranch: String?
    /// The numbers that the backbone multiplied, run by run; nil where that is not known.
    let precisions: [String]?
    /// How channels enter the backbone, such as "map nucleus>0 protein>1, absent zero".
    let strategy: String?
    /// How cells become inputs of the backbone; nil for imported vectors.
    let recipe: Recipe?
  }

  struct FieldStatistics: Encodable {
    let name: String
    let type: String
    /// Cells with a value.
    let cells: Int
    /// Distinct texts; nil for numbers.
    let distinct: Int?
  }

  init(of database: Database) throws {
    path = database.path
    byteCount = try database.byteCount()
    (formatVersion, images, cells, spaces, fields, heads, parts) = try database.read { snapshot in
      var spaces: [Space] = []
      for space in snapshot.spaces { spaces.append(try Space(space, in: snapshot)) }
      var fields: [FieldStatistics] = []
      for field in snapshot.fields { fields.append(try FieldStatistics(field, in: snapshot)) }
      return (
        try snapshot.formatVersion(), snapshot.imageCount(), try snapshot.allRows().count, spaces, fields,
        try HeadListing.all(in: snapshot), Part.all(of: try snapshot.parts())
      )
    }
  }

  /// The statistics as lines of text, a table a subject.
  var lines: [String] {
    let card = Card([
      ("database", .text(path)), ("format version", .integer(formatVersion)),
      ("size", .text("\(fixed(Double(byteCount) / 1e6, decimals: 1)) MB")), ("images", .integer(images)),
      ("cells", .integer(cells)),
    ])
    let spaceReport = Report(
      ["space", "dimension", "vectors", "channels", "strategy", "crops", "weights", "precision", "dtype"],
      rows: spaces.map {
        [
          .text($0.name), .integer($0.dimension), .integer($0.vectors),
          .text($0.recipe?.roles.joined(separator: ";")), .text($0.strategy), .text($0.recipe?.preparation),
          .text($0.backbonePath), .text($0.precisions?.joined(separator: ";")),
          .text($0.dtype.rawValue),
        ]
      })
    let fieldReport = Report(
      ["field", "type", "cells", "distinct"],
      rows: fields.map {
        [.text($0.name), .text($0.type), .integer($0.cells), $0.distinct.map { .integer($0) } ?? .null]
      })
    let partReport = Report(
      ["part", "name", "entries", "bytes"],
      rows: parts.map { [.text($0.kind), .text($0.name), .integer($0.entries), .integer($0.byteCount)] })
    let reports = [spaceReport, fieldReport, HeadListing.report(of: heads), partReport].filter {
      !$0.rows.isEmpty
    }
    return card.lines() + reports.flatMap { [""] + $0.lines(as: .table) }
  }
}

extension DatabaseStatistics.Part {
  /// Parts with something in them.
  fileprivate static func all(of parts: DatabaseParts) -> [DatabaseStatistics.Part] {
    [("table", parts.tables), ("space", parts.spaces), ("field", parts.fields)].flatMap { kind, parts in
      parts.filter { $0.byteCount > 0 }.map {
        DatabaseStatistics.Part(kind: kind, name: $0.name, entries: $0.entries, byteCount: $0.byteCount)
      }
    }
  }
}

extension DatabaseStatistics.Space {
  fileprivate init(_ space: SpaceRecord, in snapshot: borrowing Snapshot) throws {
    let recipe = try space.recipe.map { try Recipe(canonicalJSON: $0, space: space.name) }
    self.init(
      name: space.name, dimension: space.dimension, dtype: space.scalar,
      vectors: try snapshot.rows(in: space).count,
      backbone: space.backboneHash, backbonePath: space.backbonePath,
      backboneBranch: space.backboneBranch, precisions: space.precisions,
      strategy: recipe?.strategy.description, recipe: recipe)
  }
}

extension DatabaseStatistics.FieldStatistics {
  fileprivate init(_ field: Field, in snapshot: borrowing Snapshot) throws {
    self.init(
      name: field.name, type: field.type.rawValue, cells: try snapshot.rows(withValueIn: field).count,
      distinct: field.type == .number ? nil : try snapshot.distinctTexts(field).count)
  }
}

/// A head as lists show it.
struct HeadListing: Encodable {
  let name: String
  let space: String
  /// The field that the head predicts.
  let labels: String?
  let classes: Int
  let macroF1: Double?
  /// The sample standard deviation over folds.
  let macroF1SD: Double?
  /// What the folds kept together; "nothing" when they were ungrouped.
  let groupedBy: String?
  let task: ClassificationTask
  /// The probability below which it predicts nothing; nil for a head that always predicts, or has thresholds.
  let abstainBelow: Double?
  /// What makes its predictions: "linear", "hidden 512,256" or "20 neighbors".
  let kind: String

  static func all(in snapshot: borrowing Snapshot) throws -> [HeadListing] {
    let spaces = Dictionary(uniqueKeysWithValues: snapshot.spaces.map { ($0.id, $0.name) })
    return try snapshot.heads().map { record in
      let summary = try HeadSummary(json: record.summary, name: record.name)
      let evaluation = summary.evaluation
      return HeadListing(
        name: record.name, space: spaces[record.space] ?? "?", labels: summary.labelField,
        classes: summary.classes.count, macroF1: evaluation?.macroF1.mean,
        macroF1SD: evaluation?.macroF1.sampleSD, groupedBy: evaluation.map { $0.groupField ?? "nothing" },
        task: summary.task, abstainBelow: summary.abstainBelow.map { Double("\($0)") ?? Double($0) },
        kind: summary.kind)
    }
  }

  static func report(of heads: [HeadListing]) -> Report {
    Report(
      [
        "head", "space", "labels", "classes", Column("macro_f1", decimals: 3),
        Column("macro_f1_sd", decimals: 3), "grouped_by", "task", "abstain_below", "kind",
      ],
      rows: heads.map {
        [
          .text($0.name), .text($0.space), .text($0.labels), .integer($0.classes), .real($0.macroF1),
          .real($0.macroF1SD), .text($0.groupedBy), .text($0.task.rawValue), .real($0.abstainBelow),
          .text($0.kind),
        ]
      })
  }
}
