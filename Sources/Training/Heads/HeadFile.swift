import Faults
import Formats
package import Storage

/// A head as a file of its own: safetensors with the layers' weights as tensors, and in its metadata, under
/// `cellvec_head`, the summary (schema/store.md, "Heads").
package struct HeadFile: Sendable {
  static let key = "cellvec_head"

  package let summary: HeadSummary
  package let head: Head

  /// - Throws: as `Head` and `HeadSummary` do for damaged records.
  package init(_ record: HeadRecord) throws {
    summary = try HeadSummary(json: record.summary, name: record.name)
    head = try Head(weights: record.weights, summary: summary, name: record.name)
  }

  /// - Throws: `badData` for a file that holds no head, `unavailable` for one of a newer version.
  package init(path: String) throws {
    let file = try SafetensorsFile(path: path)
    guard let json = file.metadata[Self.key] else {
      throw Fault(
        .badData, path, "holds no head: it has no \(Self.key) among its metadata",
        remedy: "name a file that cellvec heads export has written")
    }
    summary = try HeadSummary(json: json, name: path)
    head = try Head(file: file, summary: summary)
  }

  /// - Parameter space: that of the database that the head is in.
  package func write(to path: String, space: SpaceRecord) throws {
    var file = try AtomicFile(path: path)
    let summary = summary.space == nil ? summary.placed(in: HeadSpace(space)) : summary
    try file.write(head.encodedWeights(metadata: [Self.key: summary.json()]))
    try file.commit()
  }

  /// The record of the head in the space of a database whose vectors it takes.
  ///
  /// - Parameter space: nil to look for the one.
  /// - Throws: `usage` when no space, or another than the given one, has such vectors.
  package func record(named name: String, in space: SpaceRecord?, snapshot: borrowing Snapshot) throws
    -> HeadRecord
  {
    guard let origin = summary.space else {
      throw Fault(
        .badData, "head \(name)", "does not say which space it was trained in", remedy: "export it again")
    }
    let candidates = space.map { [$0] } ?? snapshot.spaces
    guard let found = candidates.first(where: origin.isSame) else {
      throw Fault(
        .usage, space.map { "space \"\($0.name)\"" } ?? "the database",
        "has no vectors that the head takes: those of space \"\(origin.name)\", \(origin.dimension) numbers"
          + (origin.backboneHash.map { " by the backbone \($0)" } ?? ", imported"),
        remedy: "embed the images with the same recipe and backbone, or train a head here")
    }
    return HeadRecord(
      name: name, space: found.id, summary: try summary.json(), weights: head.encodedWeights())
  }
}
