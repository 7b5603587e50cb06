import Imaging
import Ingest
import Storage

/// What `ingest` says of a plan and of a run.
enum IngestReport {
  /// One row an image: its files and the metadata that it would get.
  static func plan(_ grouping: Grouping, _ ingest: ImageIngest) -> Report {
    let roles = ingest.recipe.roles
    let fields = ingest.metadata?.fields ?? []
    var report = Report(
      (["image"] + roles + ["mask"] + fields.map(\.name)).map { Column($0) })
    for image in grouping.images {
      let files = roles.map { role in Value.text(image.channels.first { $0.role == role }?.path) }
      let values = ingest.metadata?.values(of: image.name) ?? [:]
      report.append(
        [.text(image.name)] + files + [.text(image.mask?.path)] + fields.map { Value(values[$0.name]) })
    }
    return report
  }

  /// One row a fact.
  static func summary(_ summary: IngestSummary, space: SpaceRecord) -> Report {
    var rows: [[Value]] = []
    func add(_ fact: String, _ value: Value) { rows.append([.text(fact), value]) }
    add("space", .text(space.name))
    add("dimension", .integer(space.dimension))
    add("images", .integer(summary.images))
    add("images embedded", .integer(summary.embedded))
    add("images unchanged", .integer(summary.unchanged))
    add("images with a changed mask", .integer(summary.remasked))
    add("images with changed pixels", .integer(summary.replaced))
    add("images failed", .integer(summary.failures.count))
    add("images with the pixels of another", .integer(summary.duplicates.count))
    add("images with a blank channel", .integer(summary.blank.count))
    add("images without cells", .integer(summary.withoutCells.count))
    add("objects found", .integer(summary.found))
    add("cells embedded", .integer(summary.cells))
    for (reason, count) in summary.dropped.sorted(by: { $0.key < $1.key }) {
      add("objects dropped: \(reason)", .integer(count))
    }
    if let metadata = summary.metadata {
      add("metadata joined by", .text(metadata.join))
      add("images with metadata", .integer(metadata.matchedImages))
      add("images without metadata", .integer(metadata.unmatchedImages.count))
      add("table lines without image", .integer(metadata.unmatchedLines.count))
      for (field, count) in metadata.contradictions.sorted(by: { $0.key < $1.key }) {
        add("images with contradicting \(field)", .integer(count))
      }
    }
    let seconds = summary.totalTime.seconds
    add("bytes read", .integer(summary.preparation.bytesRead))
    add("seconds", .real(rounded(seconds)))
    for (stage, time) in [
      ("reading", summary.preparation.readTime), ("finding cells", summary.preparation.findTime),
      ("cutting crops", summary.preparation.cutTime),
      ("embedding", summary.embedTime), ("committing", summary.commitTime),
      ("waiting for crops", summary.cropWaitTime), ("waiting for commits", summary.commitWaitTime),
    ] { add("seconds \(stage)", .real(rounded(time.seconds))) }
    add("backbone busy", .real(rounded(summary.backboneShare)))
    add("images per second", .real(rounded(Double(summary.embedded) / max(seconds, 1e-9))))
    add("cells per second", .real(rounded(Double(summary.cells) / max(seconds, 1e-9))))
    return Report(["fact", "value"], rows: rows)
  }

  /// - Parameter roles: the channels that are about to be ingested.
  static func warning(_ others: OtherChannels, roles: [String]) -> String {
    let (before, now) = (others.roles.joined(separator: ", "), roles.joined(separator: ", "))
    return [
      "images that the database has with other channels (\(before)): \(others.imageCount)",
      "with \(now) their objects become new cells beside those, with rows, metadata and labels of their own",
      "to have another space of the same cells, name the same channels and leave some out with --map role=none",
    ].joined(separator: "; ")
  }

  /// What a user should look into, for stderr.
  static func warnings(_ summary: IngestSummary) -> [String] {
    var warnings = summary.duplicates.map {
      "\($0.name): has the same pixels as \($0.original); its cells are that image's"
    }
    if !summary.blank.isEmpty {
      let names = summary.blank.map { "\($0.name) (\($0.roles.joined(separator: ", ")))" }
      warnings.append(
        "images with channels whose pixels are all equal, which say nothing of a cell: \(shortened(names))")
    }
    if !summary.withoutCells.isEmpty {
      warnings.append("images without cells: \(shortened(summary.withoutCells))")
    }
    if summary.replaced > 0 {
      warnings.append(
        "images with other pixels or channels than before: \(summary.replaced); their earlier cells were kept"
      )
    }
    if summary.remasked > 0 {
      warnings.append(
        "images with a changed mask: \(summary.remasked), embedded again; cells whose labels are gone were kept"
      )
    }
    if let warning = warning(of: summary.small) { warnings.append(warning) }
    return warnings + self.warnings(summary.metadata)
  }

  /// - Returns: nil where every square has room in its image.
  static func warning(of small: [SmallImage]) -> String? {
    guard let first = small.first else { return nil }
    return
      "images smaller than the squares of \(first.squarePx) px that --crop cuts out of them: \(small.count), "
      + "as \(first.name) of \(first.width) x \(first.height) px; what lies beyond an image is padding"
  }

  /// What a user should look into of a join, whether or not its images are ingested.
  static func warnings(_ metadata: MetadataSummary?) -> [String] {
    guard let metadata else { return [] }
    var warnings: [String] = []
    if !metadata.skippedColumns.isEmpty {
      warnings.append(
        "columns that are no fields, since every report has them: \(shortened(metadata.skippedColumns)); rename them to keep them"
      )
    }
    if !metadata.unmatchedImages.isEmpty {
      warnings.append("images without metadata: \(shortened(metadata.unmatchedImages))")
    }
    if !metadata.unmatchedLines.isEmpty {
      warnings.append("metadata lines without image: \(shortened(metadata.unmatchedLines.map(String.init)))")
    }
    warnings += metadata.contradictions.sorted { $0.key < $1.key }.map { field, count in
      "field \(field): left out for \(count) image\(count == 1 ? "" : "s") whose rows contradict each other"
    }
    return warnings
  }

  /// The first few of many names, and how many more there are.
  private static func shortened(_ names: [String]) -> String {
    let shown = names.prefix(8).joined(separator: ", ")
    return names.count > 8 ? "\(shown) and \(names.count - 8) more" : shown
  }

  private static func rounded(_ number: Double) -> Double { (number * 1000).rounded() / 1000 }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
