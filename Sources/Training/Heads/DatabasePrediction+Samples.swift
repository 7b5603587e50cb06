import Storage

/// Predictions of heads whose samples have several cells: each cell gets what is predicted for its sample.
extension DatabasePrediction {
  /// What was found of some samples, cell by cell.
  private struct Found {
    let rows: [Row]
    /// [rows, classes]
    let probabilities: [Float]
    /// The weight of each cell among those of its sample; nil where means are taken.
    let attention: [Float]?
  }

  /// Writes predictions for the samples that these cells make.
  ///
  /// - Parameters:
  ///   - cells: with vectors; those that are part of no sample are counted, and lose what was predicted for them.
  ///   - own: finds the voters that samples are themselves; nil where no neighbors vote.
  ///   - progress: as of `write`.
  func writeSamples(
    of cells: RowSet, own: OwnVoters?, counting counts: inout PredictionCounts, to writer: DatabaseWriter,
    progress: (Int) throws -> Void
  ) throws {
    let samples = try writer.database.read { snapshot in
      try (snapshot.rowsByGroup(unit.grouping, among: cells) ?? []).map { $0.rows.toArray() }
    }
    let others = cells.subtracting(RowSet(samples.joined())).toArray()
    counts.withoutSample = others.count
    for start in stride(from: 0, to: others.count, by: Self.cellsPerCommit) {
      let part = others[start..<min(start + Self.cellsPerCommit, others.count)]
      try writer.write { try clear(Array(part), in: &$0) }
    }
    var rest = samples[...]
    var done = 0
    while !rest.isEmpty {
      var (count, cellCount) = (0, 0)
      for sample in rest {
        guard count == 0 || cellCount + sample.count <= Self.cellsPerCommit else { break }
        (count, cellCount) = (count + 1, cellCount + sample.count)
      }
      let found = try writer.database.read { try predict(Array(rest.prefix(count)), own: own, in: $0) }
      rest = rest.dropFirst(count)
      for start in stride(from: 0, to: cellCount, by: Self.cellsPerCommit) {
        let part = start..<min(start + Self.cellsPerCommit, cellCount)
        try writer.write { transaction in
          try write(
            Array(found.probabilities[part.lowerBound * classes.count..<part.upperBound * classes.count]),
            of: Array(found.rows[part]), attention: found.attention.map { Array($0[part]) },
            counting: &counts, to: &transaction)
        }
        try progress(done + part.upperBound)
      }
      done += cellCount
    }
  }

  private func predict(
    _ samples: [[Row]], own: OwnVoters?, in snapshot: borrowing Snapshot
  ) throws -> Found {
    let rows = samples.flatMap { $0 }
    let cells = try BlockVectors(snapshot: snapshot, space: space, rows: rows)
    var end: Int32 = 0
    let members = samples.map { sample in
      end += Int32(sample.count)
      return Array(end - Int32(sample.count)..<end)
    }
    var (source, attention): (AveragedVectors, [Float]?)
    if let own = head.attention {
      let vectors = FloatBuffer(count: samples.count * space.dimension)
      var weights: [Float] = []
      own.pool(members, of: cells, into: vectors.values) { weights += $1 }
      (source, attention) = (
        AveragedVectors(Array(vectors.values), dimension: space.dimension), weights
      )
    } else {
      (source, attention) = (AveragedVectors(of: cells, members: members), nil)
    }
    let ofSamples = try head.finiteProbabilities(
      of: Array(0..<Int32(samples.count)), in: source, excluding: own?.groups(of: samples, in: source),
      threads: threads)
    let probabilities = samples.enumerated().flatMap { index, sample in
      sample.flatMap { _ in ofSamples[index * classes.count..<(index + 1) * classes.count] }
    }
    return Found(rows: rows, probabilities: probabilities, attention: attention)
  }
}
