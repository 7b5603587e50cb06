import Identity
package import Storage

/// Which cells a head was trained on.
package struct HeadData: Sendable, Equatable, Codable {
  /// Cells that weights were fitted to, and cells that the training was watched on.
  package let trainCells: Int
  package let validationCells: Int
  /// Ranges [first, end) of the rows of both together.
  package let rows: [[Row]]
  /// XXH3-128 of all these rows with their labels: equal fingerprints are equal training data by name.
  package let fingerprint: String
  /// Some of the rows with digests of the cells that they were. Rows number cells of one database: in another
  /// one, these show that the head was trained elsewhere.
  package let witnesses: [CellWitness]

  /// - Parameters:
  ///   - rows: of all samples.
  ///   - set: the samples that the head was trained on.
  /// - Throws: as `ScratchTable`, and what reading the witnesses does.
  package init(rows: [Row], labels: LabelTable, set: TrainingSet, snapshot: borrowing Snapshot) throws {
    let samples = set.samples.union(SampleSet(set.validation))
    trainCells = set.samples.count
    validationCells = set.validation.count
    let known = try ScratchTable<Row>(count: samples.count)
    for (place, sample) in samples.enumerated() { known[place] = rows[Int(sample)] }
    self.rows = Self.ranges(of: known)
    fingerprint = Self.fingerprint(of: samples, rows: rows, labels: labels)
    witnesses = try CellWitness.of(known, in: snapshot)
  }

  /// Samples whose text is hashed together: of millions, the text as a whole would fill the memory.
  private static let samplesOfDigest = 65_536

  private static func fingerprint(of samples: SampleSet, rows: [Row], labels: LabelTable) -> String {
    var digests = ContentHash(of: labels.classes.map { "\($0.utf8.count):\($0)" }.joined()).description
    var rest = samples.makeIterator()
    for start in stride(from: 0, to: samples.count, by: samplesOfDigest) {
      var text = ""
      for _ in start..<min(start + samplesOfDigest, samples.count) {
        guard let sample = rest.next() else { break }
        text += "\n\(rows[Int(sample)])"
        for member in labels.classes(of: sample) { text += " \(member)" }
      }
      digests += ContentHash(of: text).description
    }
    return ContentHash(of: digests).description
  }

  /// The rows, unless they number cells of another database.
  package func rows(in snapshot: borrowing Snapshot) throws -> RowSet? {
    for witness in witnesses where try witness.isContradicted(by: snapshot) { return nil }
    guard let last = rows.last?.last, last <= (try snapshot.rowLimit()) else {
      return rows.isEmpty ? RowSet() : nil
    }
    return rows.reduce(into: RowSet()) { $0.formUnion(RowSet($1[0]..<$1[1])) }
  }

  /// Whether the ranges are in order and not empty.
  var isValid: Bool {
    rows.allSatisfy { $0.count == 2 && $0[0] < $0[1] }
      && zip(rows, rows.dropFirst()).allSatisfy { $0[1] < $1[0] }
  }

  /// - Parameter rows: increasing, without repetition.
  static func ranges(of rows: some Sequence<Row>) -> [[Row]] {
    var ranges: [[Row]] = []
    for row in rows {
      if let end = ranges.last?[1], end == row {
        ranges[ranges.count - 1][1] = row + 1
      } else {
        ranges.append([row, row + 1])
      }
    }
    return ranges
  }
}

/// Which space a head takes vectors of, for other databases.
package struct HeadSpace: Sendable, Equatable, Codable {
  package let name: String
  package let dimension: Int
  package let recipe: String?
  package let backboneHash: String?

  package init(_ space: SpaceRecord) {
    name = space.name
    dimension = space.dimension
    recipe = space.recipe
    backboneHash = space.backboneHash
  }

  /// Whether vectors of a space mean the same: those of the same recipe and backbone do, whatever the spaces
  /// are called; of imported vectors nothing is known but their space's name.
  package func isSame(as space: SpaceRecord) -> Bool {
    guard dimension == space.dimension, recipe == space.recipe, backboneHash == space.backboneHash else {
      return false
    }
    return backboneHash != nil || name == space.name
  }
}
