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
/// Predictions are metadata of the field <labels> that the head was trained on: of several labels a cell the list field
/// `predicted_<labels>` and for each class the number field `probability_<labels>_<class>`; of one label the text field
/// `predicted_<labels>` and its probability, the number field `probability_<labels>`. They can be filtered by like any
/// other field, and are replaced by the next prediction of the same labels.
package struct DatabasePrediction: Sendable {
  /// Cells in one transaction.
  static let cellsPerCommit = 4096
  /// The same of a head of neighbors, whose search takes longer.
  private static let searchesPerCommit = 1024

  package let space: SpaceRecord
  package let labelField: String
  package let classes: [String]
  let head: Head
  /// What a sample is: of several cells, each gets what is predicted for the sample.
  package let unit: SampleUnit
  private let empty: EmptyPrediction
  private let data: HeadData?
  /// How many threads look for neighbors.
  let threads: Int
  /// What an earlier head may have written of classes that this one does not know goes with its predictions.
  private var fieldsOfOtherClasses: [String] = []

  /// The label of cells without a class, where that is asked for.
  package static let unknownLabel = "unknown"

  /// - Parameters:
  ///   - threshold: to predict a class above, in place of the head's own thresholds; of a head of several labels.
  ///   - abstainBelow: to predict nothing below, in place of the head's own probability; of a head of one label.
  ///   - empty: what cells without a class get.
  ///   - isStored: whether predictions are to be written, so that the fields for them matter.
  ///   - threads: that look for neighbors, of a head whose neighbors vote.
  /// - Throws: `missingInput` when there is no such head, `badData` when it is damaged, `usage` for a
  ///   threshold outside 0..<1, a probability to abstain below outside 0...1, either of the other kind of heads, or a
  ///   field to be written that has another type, or what a head of other labels has predicted.
  package init(
    headNamed name: String, threshold: Float? = nil, abstainBelow: Float? = nil,
    empty: EmptyPrediction = .keep, isStored: Bool = true, threads: Int = 1,
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
      try Self.require(.multi, of: head, for: "--threshold", instead: "--abstain-below")
      guard (0..<1).contains(threshold) else {
        throw Fault(.usage, "threshold", expected: "a probability from 0 to below 1", found: "\(threshold)")
      }
      head.thresholds = Array(repeating: threshold, count: head.classes.count)
    }
    if let abstainBelow {
      try Self.require(.single, of: head, for: "--abstain-below", instead: "--threshold")
      guard (0...1).contains(abstainBelow) else {
        throw Fault(
          .usage, "--abstain-below", expected: "a probability from 0 to 1", found: "\(abstainBelow)")
      }
      head.thresholds = Array(repeating: abstainBelow, count: head.classes.count)
    }
    self.space = space
    self.labelField = labelField
    self.head = head
    unit = summary.unit
    self.empty = empty
    self.threads = threads
    data = summary.data
    classes = head.classes
    if isStored {
      try requireFields(in: snapshot)
      fieldsOfOtherClasses = try probabilityFieldsOfOtherClasses(in: snapshot)
    }
  }

  private static func require(
    _ task: ClassificationTask, of head: Head, for option: String, instead other: String
  ) throws {
    guard head.task == task else {
      let labels = head.task == .single ? "one label" : "several labels"
      throw Fault(.usage, option, "is none of a head that predicts \(labels) a cell", remedy: "use \(other)")
    }
  }

  /// Whether some of the cells behind the head only tuned it, as its thresholds.
  package var isTuned: Bool { (data?.validationCells ?? 0) > 0 }

  /// Whether cells that the head keeps vote, in place of what was trained.
  package var hasVoters: Bool { head.neighbors != nil }

  /// Whether cells get one label each.
  package var task: ClassificationTask { head.task }

  /// Name of the field that gets the predicted classes, or the predicted class.
  package var predictionField: String { "predicted_\(labelField)" }

  /// Name of the field that gets the probability of the predicted class, of one label a cell.
  package var probabilityField: String { "probability_\(labelField)" }

  /// Name of the field that gets the weight of each cell among those of its sample; nil for heads without attention.
  package var attentionField: String? { head.attention.map { _ in weightField } }

  /// The same of any head of these labels: what an earlier one has written goes with its predictions.
  private var weightField: String { "attention_\(labelField)" }

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
      cells: 0, empty: 0, withoutSample: 0, trained: trained.map { $0.intersection(RowSet(rows)).count },
      perClass: (classes + (empty == .unknown ? [Self.unknownLabel] : [])).map {
        PredictionCounts.Class(name: $0, cells: 0)
      })
    // A witness of another database says that rows are not those that the head knows.
    let own = head.neighbors.map { OwnVoters(of: $0.voters, rows: trained == nil ? nil : data?.rows) }
    guard unit == .cell else {
      try writeSamples(of: RowSet(rows), own: own, counting: &counts, to: writer, progress: progress)
      return counts
    }
    let batchSize = head.neighbors == nil ? Self.cellsPerCommit : Self.searchesPerCommit
    for start in stride(from: 0, to: rows.count, by: batchSize) {
      let batch = Array(rows[start..<min(start + batchSize, rows.count)])
      let probabilities = try writer.database.read { snapshot in
        let source = try BlockVectors(snapshot: snapshot, space: space, rows: batch)
        return try head.finiteProbabilities(
          of: Array(0..<Int32(batch.count)), in: source,
          excluding: own?.groups(of: batch.map { [$0] }, in: source), threads: threads)
      }
      try writer.write { transaction in
        try write(probabilities, of: batch, counting: &counts, to: &transaction)
      }
      try progress(start + batch.count)
    }
    return counts
  }

  /// - Parameters:
  ///   - probabilities: [rows, classes]
  ///   - attention: the weight of each cell among those of its sample, where there is one.
  func write(
    _ probabilities: [Float], of rows: [Row], attention: [Float]? = nil,
    counting counts: inout PredictionCounts, to transaction: inout WriteTransaction
  ) throws {
    let labels = try transaction.field(named: predictionField, type: predictionType).id
    let attentionID =
      try attentionField.map { try transaction.field(named: $0, type: .number).id }
      ?? transaction.field(named: weightField, of: .number)?.id
    let numbers = try probabilityFields.map { try transaction.field(named: $0, type: .number).id }
    let others = fieldsOfOtherClasses.compactMap { transaction.field(named: $0, of: .number)?.id }
    for (index, row) in rows.enumerated() {
      var values: [UInt16: FieldValue?] = [:]
      let own = probabilities[index * classes.count..<(index + 1) * classes.count]
      let (predicted, isSubstitute) = self.labels(for: own)
      if isSubstitute { counts.empty += 1 }
      for place in counts.perClass.indices where predicted.contains(counts.perClass[place].name) {
        counts.perClass[place].cells += 1
      }
      // No label is no value, so that IS NULL finds the cells that the head could not decide about.
      switch task {
      case .single:
        values[labels] = .some(predicted.first.map { .string($0) })
        values[numbers[0]] = own.max().map { .number(Double($0)) }
      case .multi:
        values[labels] = .some(predicted.isEmpty ? nil : .list(predicted))
        for (number, probability) in zip(numbers, own) { values[number] = .number(Double(probability)) }
        for other in others { values[other] = .some(nil) }
      }
      if let attentionID { values[attentionID] = .some(attention.map { .number(Double($0[index])) }) }
      counts.cells += 1
      try transaction.setValues(values, of: row)
    }
  }

  /// Takes away what an earlier head has predicted for cells that this one predicts nothing for.
  func clear(_ rows: [Row], in transaction: inout WriteTransaction) throws {
    let names =
      [(predictionField, predictionType)]
      + (probabilityFields + fieldsOfOtherClasses + [weightField]).map { ($0, .number) }
    let fields = names.compactMap { transaction.field(named: $0, of: $1)?.id }
    let values = [UInt16: FieldValue?](uniqueKeysWithValues: fields.map { ($0, nil) })
    guard !values.isEmpty else { return }
    for row in rows { try transaction.setValues(values, of: row) }
  }
}

extension DatabasePrediction {
  private var predictionType: FieldType { task == .single ? .string : .list }

  /// Names of the fields that get probabilities: of the predicted class, or of each.
  package var probabilityFields: [String] {
    Self.probabilityFields(labels: labelField, classes: classes, task: task)
  }

  private static func probabilityFields(
    labels: String, classes: [String], task: ClassificationTask
  ) -> [String] {
    task == .single ? ["probability_\(labels)"] : classes.map { "probability_\(labels)_\($0)" }
  }

  /// Names of the fields in which heads of the same labels may have left probabilities of classes that this one does not know.
  private func probabilityFieldsOfOtherClasses(in snapshot: borrowing Snapshot) throws -> [String] {
    guard task == .multi, let labels = snapshot.field(named: labelField), labels.type != .number else {
      return []
    }
    let others = Set(try snapshot.distinctTexts(labels).map(\.text)).subtracting(classes)
    return Self.probabilityFields(labels: labelField, classes: others.sorted(), task: task)
      .filter { snapshot.field(named: $0)?.type == .number }
  }

  /// Makes sure of the fields to be written, before any work.
  private func requireFields(in snapshot: borrowing Snapshot) throws {
    let numbers = probabilityFields
    let allNumbers = numbers + [attentionField].compactMap(\.self)
    for (name, type) in [(predictionField, predictionType)] + allNumbers.map({ ($0, FieldType.number) }) {
      guard let field = snapshot.field(named: name), field.type != type else { continue }
      let why = type == .number ? "" : ": heads of one label a cell write a string, others a list"
      throw Fault(
        .usage, "field \"\(name)\"", expected: "a \(field.type.rawValue), as it is in the database",
        found: "a \(type.rawValue)", remedy: "rename or drop it with cellvec fields\(why)")
    }
    let present = numbers.filter { snapshot.field(named: $0) != nil }
    guard !present.isEmpty else { return }
    for record in try snapshot.heads() {
      // A head that cannot be read predicts nothing.
      guard let other = try? HeadSummary(json: record.summary, name: record.name),
        let labels = other.labelField, labels != labelField,
        snapshot.field(named: "predicted_\(labels)") != nil
      else { continue }
      let taken = Self.probabilityFields(labels: labels, classes: other.classes, task: other.task)
      guard let name = present.first(where: taken.contains) else { continue }
      throw Fault(
        .usage, "field \"\(name)\"", "has probabilities of head \"\(record.name)\", which predicts \(labels)",
        remedy: "rename or drop it and predicted_\(labels) with cellvec fields")
    }
  }

  /// What a cell with these probabilities is labelled with, and whether none of them is above its threshold.
  func labels(for probabilities: ArraySlice<Float>) -> (labels: [String], isSubstitute: Bool) {
    let decided = task.decided(probabilities, thresholds: head.thresholds).map { classes[$0] }
    return decided.isEmpty ? (substitute(for: probabilities), true) : (decided, false)
  }

  /// What a cell with these probabilities, none of which is above its threshold, is labelled with.
  private func substitute(for probabilities: ArraySlice<Float>) -> [String] {
    switch empty {
    case .keep: return []
    case .unknown: return [Self.unknownLabel]
    case .top1:
      let nearness = zip(probabilities, head.thresholds).map { $1 > 0 ? $0 / $1 : $0 }
      return ClassificationTask.likeliest(nearness[...]).map { [classes[$0]] } ?? []
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
  /// Cells that were left out because they are part of no sample.
  package internal(set) var withoutSample: Int
  /// Cells that the head was trained on or watched on; nil when it does not say, or was trained in another
  /// database.
  package let trained: Int?
  /// Cells that were labelled with each class, and with "unknown" where cells of no class are.
  package fileprivate(set) var perClass: [Class]
}
