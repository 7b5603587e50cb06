import Faults
package import Storage

/// What a cell gets for which no class is above its threshold.
package enum EmptyPrediction: String, Sendable, CaseIterable {
  /// No value: the head could not decide.
  case keep
  /// The class whose probability is nearest to its threshold, as a part of it.
  case top1
  /// The label `unknown`.
  case unknown
}

/// A head of a database, ready to predict the labels of its cells.
///
/// Predictions are metadata: the list field `predicted_<labels>` and for each class the number field
/// `probability_<labels>_<class>`, where <labels> is the field that the head was trained on. They can be
/// filtered by like any other field, and are replaced by the next prediction of the same labels.
package struct DatabasePrediction: Sendable {
  /// Cells in one transaction.
  static let cellsPerCommit = 4096

  package let space: SpaceRecord
  package let labelField: String
  package let classes: [String]
  private let head: Head
  private let empty: EmptyPrediction
  private let data: HeadData?

  /// The label of cells without a class, where that is asked for.
  package static let unknownLabel = "unknown"

  /// - Parameters:
  ///   - threshold: to predict a class above, in place of the head's own thresholds.
  ///   - empty: what cells without a class get.
  /// - Throws: `missingInput` when there is no such head, `badData` when it is damaged, `usage` for a
  ///   threshold outside 0..<1.
  package init(
    headNamed name: String, threshold: Float? = nil, empty: EmptyPrediction = .keep,
    snapshot: borrowing Snapshot
  ) throws {
    guard let record = try snapshot.head(named: name) else {
      throw Fault.unknownName(.missingInput, "head", name, among: try snapshot.heads().map(\.name))
    }
    let summary = try HeadSummary(json: record.summary, name: name)
    guard let space = snapshot.spaces.first(where: { $0.id == record.space }),
      space.dimension == summary.dimension, let labelField = summary.labelField
    else {
      throw Fault(
        .badData, "head \"\(name)\"", "does not fit the space that it belongs to",
        remedy: "train the head again")
    }
    var head = try Head(weights: record.weights, summary: summary, name: name)
    if let threshold {
      guard (0..<1).contains(threshold) else {
        throw Fault(.usage, "threshold", expected: "a probability from 0 to below 1", found: "\(threshold)")
      }
      head.thresholds = Array(repeating: threshold, count: head.classes.count)
    }
    self.space = space
    self.labelField = labelField
    self.head = head
    self.empty = empty
    data = summary.data
    classes = head.classes
  }

  /// Name of the field that gets the predicted classes.
  package var predictionField: String { "predicted_\(labelField)" }

  /// Name of the field that gets the probabilities of a class.
  package func probabilityField(of className: String) -> String { "probability_\(labelField)_\(className)" }

  /// - Throws: `usage` when the head was trained in another space.
  package func require(_ other: SpaceRecord) throws {
    guard other.id != space.id else { return }
    throw Fault(
      .usage, "--space", "the head was trained in space \"\(space.name)\", not \"\(other.name)\"",
      remedy: "leave --space out, or train a head in \"\(other.name)\"")
  }

  /// Writes predictions for cells, some thousands a transaction.
  ///
  /// - Parameters:
  ///   - selection: cells to predict for; nil for all. Those without a vector in the head's space are left
  ///     out.
  ///   - progress: called after each transaction with the number of cells done; a throw ends the run, and
  ///     keeps what is written.
  package func write(
    to writer: DatabaseWriter, among selection: RowSet? = nil, progress: (Int) throws -> Void = { _ in }
  ) throws -> PredictionCounts {
    let rows = try writer.database.read { snapshot in
      let embedded = try snapshot.rows(in: space)
      return (selection?.intersection(embedded) ?? embedded).toArray()
    }
    let trained = try data.flatMap { data in try writer.database.read { try data.rows(in: $0) } }
    var counts = PredictionCounts(
      cells: 0, empty: 0, trained: trained.map { $0.intersection(RowSet(rows)).count },
      perClass: (classes + (empty == .unknown ? [Self.unknownLabel] : [])).map {
        PredictionCounts.Class(name: $0, cells: 0)
      })
    for start in stride(from: 0, to: rows.count, by: Self.cellsPerCommit) {
      let batch = Array(rows[start..<min(start + Self.cellsPerCommit, rows.count)])
      let probabilities = try writer.database.read { snapshot in
        let source = try BlockVectors(snapshot: snapshot, space: space, rows: batch)
        return try head.finiteProbabilities(of: Array(0..<Int32(batch.count)), in: source)
      }
      try writer.write { transaction in
        try write(probabilities, of: batch, counting: &counts, to: &transaction)
      }
      try progress(start + batch.count)
    }
    return counts
  }

  private func write(
    _ probabilities: [Float], of rows: [Row], counting counts: inout PredictionCounts,
    to transaction: inout WriteTransaction
  ) throws {
    let labels = try transaction.field(named: predictionField, type: .list).id
    let numbers = try classes.map { try transaction.field(named: probabilityField(of: $0), type: .number).id }
    for (index, row) in rows.enumerated() {
      var values: [UInt16: FieldValue?] = [:]
      var predicted: [String] = []
      for (position, number) in numbers.enumerated() {
        let probability = probabilities[index * classes.count + position]
        values[number] = .number(Double(probability))
        if probability > head.thresholds[position] { predicted.append(classes[position]) }
      }
      if predicted.isEmpty {
        counts.empty += 1
        predicted = substitute(for: probabilities[index * classes.count..<(index + 1) * classes.count])
      }
      for place in counts.perClass.indices where predicted.contains(counts.perClass[place].name) {
        counts.perClass[place].cells += 1
      }
      // No label is no value, so that IS NULL finds the cells that the head could not decide about.
      values[labels] = .some(predicted.isEmpty ? nil : .list(predicted))
      counts.cells += 1
      try transaction.setValues(values, of: row)
    }
  }
}

extension DatabasePrediction {
  /// What a cell with these probabilities, none of which is above its threshold, is labelled with.
  private func substitute(for probabilities: ArraySlice<Float>) -> [String] {
    switch empty {
    case .keep: return []
    case .unknown: return [Self.unknownLabel]
    case .top1:
      let nearness = zip(probabilities, head.thresholds).map { $1 > 0 ? $0 / $1 : $0 }
      let best = nearness.indices.reduce(0) { nearness[$1] > nearness[$0] ? $1 : $0 }
      return [classes[best]]
    }
  }
}

/// What was predicted, counted.
package struct PredictionCounts: Sendable, Equatable {
  package struct Class: Sendable, Equatable {
    package let name: String
    package fileprivate(set) var cells: Int
  }

  package fileprivate(set) var cells: Int
  /// Cells for which no class is above its threshold.
  package fileprivate(set) var empty: Int
  /// Cells that the head was trained on or watched on; nil when it does not say, or was trained in another
  /// database.
  package let trained: Int?
  /// Cells that were labelled with each class, and with "unknown" where cells of no class are.
  package fileprivate(set) var perClass: [Class]
}
