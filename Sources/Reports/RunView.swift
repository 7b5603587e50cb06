import Plots
import Training

/// One run of an evaluation as figures look at it: the samples that it tested in the first repetition, and what it said
/// of each.
struct RunView {
  let evaluation: Evaluation
  let run: Evaluation.Run
  /// Samples that some fold tests, increasing: those whose probabilities lie from 0 to 1.
  let tested: [Int]
  private let thresholdsOfFold: [Int: [Float]]
  private let folds: [Int]
  private let probabilities: [Float]
  /// Whether each class is predicted for each tested sample, [samples, classes].
  private let decisions: [Bool]

  var task: ClassificationTask { evaluation.task ?? .multi }
  var classes: [String] { evaluation.classes }
  /// Scores of all predictions at once.
  var scores: Scores { run.predictions[0].pooled }

  init(_ run: Evaluation.Run, of evaluation: Evaluation) {
    self.evaluation = evaluation
    self.run = run
    folds = evaluation.testFolds[0]
    probabilities = run.predictions[0].probabilities.values
    var thresholds: [Int: [Float]] = [:]
    for fold in run.folds where fold.repetition == 0 { thresholds[fold.fold] = fold.thresholds }
    thresholdsOfFold = thresholds
    let classCount = evaluation.classes.count
    let values = probabilities
    tested = folds.indices.filter { sample in
      thresholds[evaluation.testFolds[0][sample]] != nil
        && values[sample * classCount..<(sample + 1) * classCount].allSatisfy { (0...1).contains($0) }
    }
    var decisions = [Bool](repeating: false, count: folds.count * classCount)
    for sample in tested {
      for index in evaluation.predictedClasses(of: sample, in: run) ?? [] {
        decisions[sample * classCount + index] = true
      }
    }
    self.decisions = decisions
  }

  func probability(_ sample: Int, _ classIndex: Int) -> Double {
    Double(probabilities[sample * classes.count + classIndex])
  }

  /// The number that the probability of a class is compared with for a sample; those of the fold that tests it.
  func threshold(_ sample: Int, _ classIndex: Int) -> Double {
    Double(thresholdsOfFold[folds[sample]]?[classIndex] ?? 0.5)
  }

  func isTrue(_ sample: Int, _ classIndex: Int) -> Bool {
    evaluation.samples.hasLabel(classIndex, at: sample)
  }

  func isPredicted(_ sample: Int, _ classIndex: Int) -> Bool {
    decisions[sample * classes.count + classIndex]
  }

  /// The classes that are predicted for a sample, increasing.
  func predicted(_ sample: Int) -> [Int] { classes.indices.filter { isPredicted(sample, $0) } }

  /// Classes in the order of all figures: those with the most samples first, equal ones by name.
  var order: [Int] {
    classes.indices.sorted {
      (scores.perClass[$1].support, $0) < (scores.perClass[$0].support, $1)
    }
  }

  /// What is predicted for a sample, said of a figure.
  var decisionWords: String {
    task == .single
      ? "the likeliest class is predicted" : "a class is predicted above the threshold of its fold"
  }

  /// Names of classes; a dash for none.
  func names(_ indices: [Int]) -> String {
    indices.isEmpty ? "–" : indices.map { classes[$0] }.joined(separator: ", ")
  }

  func trueNames(_ sample: Int) -> String { names(evaluation.samples.labels(of: sample)) }

  func predictedNames(_ sample: Int) -> String {
    names(predicted(sample))
  }

  /// What people call a sample: "cell 4711", or the name of what it stands for.
  func name(_ sample: Int) -> String {
    let sample = evaluation.samples[sample]
    return sample.name ?? "cell \(sample.row)"
  }

  /// Where a shown cell comes from: its image, or what it is in its sample, and its group.
  func origin(_ cell: ShownCell) -> String {
    let sample = evaluation.samples[cell.sample]
    let group = sample.group.map { $0 == sample.image || $0 == sample.name ? "" : " · \($0)" } ?? ""
    guard sample.cellCount > 1 else { return sample.image + group }
    return "\(sample.cellCount) cells, \(place(of: cell))\(group)"
  }

  /// What a shown cell is in its sample of several.
  func place(of cell: ShownCell) -> String {
    if let weight = cell.weight {
      return "cell \(cell.row) with \(decimal(weight, places: 2)) of the attention"
    }
    return isFirst(cell) ? "the first from \(evaluation.samples[cell.sample].image)" : "cell \(cell.row)"
  }

  /// Whether a cell is the one whose image the evaluation knows.
  func isFirst(_ cell: ShownCell) -> Bool { evaluation.samples.row(of: cell.sample) == cell.row }

  /// The cell that stands for a sample: the one that the attention weighs most, else the first.
  func shownCell(_ sample: Int) -> ShownCell {
    if let attended = run.predictions[0].attended?[sample] {
      return ShownCell(sample: sample, row: attended.row, weight: Double(attended.weight))
    }
    return ShownCell(sample: sample, row: evaluation.samples.row(of: sample), weight: nil)
  }

  /// A cell that was asked for, of a sample that was tested; nil where there is none.
  func shownCell(at row: UInt32) -> ShownCell? {
    guard let sample = tested.first(where: { evaluation.contains(row, inSample: $0) }) else { return nil }
    let usual = shownCell(sample)
    return usual.row == row ? usual : ShownCell(sample: sample, row: row, weight: nil)
  }

  var hasAttention: Bool { run.predictions[0].attended != nil }

  /// Which cell stands for a sample, in a sentence; empty where samples are cells.
  var choiceOfCell: String {
    if hasAttention {
      return
        "Of each sample it is the cell that the attention weighs most, with its weight among the sample's cells. "
    }
    return tested.contains { evaluation.samples.cellCount(of: $0) > 1 }
      ? "Of each sample it is the first cell. " : ""
  }

  /// What samples are called, in the plural.
  var unit: String {
    switch evaluation.sampleUnit {
    case "cell": "cells"
    case "image": "images"
    default: "samples"
    }
  }
}

/// A cell that stands for its sample.
struct ShownCell: Equatable {
  let sample: Int
  let row: UInt32
  /// Its weight among the sample's cells; nil without attention, and for a cell that was asked for.
  let weight: Double?
}

extension Evaluation {
  /// The runs on the largest part of the train groups: the evaluation itself, where others are a curve.
  var fullRuns: [Run] {
    let largest = runs.map(\.fraction).max() ?? 1
    return runs.filter { $0.fraction == largest }
  }

  /// How samples were kept together, to stand beside every score.
  var grouping: String { groupField.map { "grouped by \($0)" } ?? "UNGROUPED" }

  /// How samples were split, in words.
  var splitting: String {
    switch design.scheme {
    case .folds:
      "\(design.folds) folds" + (design.repeats > 1 ? " × \(design.repeats) repetitions" : "")
        + ", \(grouping)"
    case .leaveOneGroupOut: "one \(groupField ?? "group") left out at a time"
    case .transfer:
      "trained on some samples, tested on others\(testDatabase.map { " of \($0)" } ?? ""), \(grouping)"
        + (sharedGroups.map { ", \($0.shared) of \($0.tested) tested groups learned from, too" } ?? "")
    }
  }
}
