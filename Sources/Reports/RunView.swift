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
    evaluation.samples[sample].labels.contains(classIndex)
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

  func trueNames(_ sample: Int) -> String { names(evaluation.samples[sample].labels) }

  func predictedNames(_ sample: Int) -> String {
    names(predicted(sample))
  }

  /// What people call a sample: "cell 4711", or the name of what it stands for.
  func name(_ sample: Int) -> String {
    let sample = evaluation.samples[sample]
    return sample.name ?? "cell \(sample.row)"
  }

  /// Where a sample comes from: its image and its group.
  func origin(_ sample: Int) -> String {
    let sample = evaluation.samples[sample]
    let cells = sample.cellCount > 1 ? ["\(sample.cellCount) cells, the first from"] : []
    let group = sample.group.map { $0 == sample.image || $0 == sample.name ? [] : ["· \($0)"] } ?? []
    return (cells + [sample.image] + group).joined(separator: " ")
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
