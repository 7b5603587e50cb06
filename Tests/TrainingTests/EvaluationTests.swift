import Faults
import Storage
import Synchronization
import Testing

@testable import Training

@Suite struct EvaluationTests {
  private let plan = LabelledDatabase.plan

  @Test func theSpaceThatKnowsTheLabelsWinsOnTheSameFolds() throws {
    try withDatabase { database in
      let outcome = try database.outcome(plan)
      let evaluation = outcome.evaluation
      #expect(outcome.leftOut.withoutLabel == 1)
      #expect(evaluation.samples.count == 149)
      #expect(evaluation.samples[4].image == "image1" && evaluation.samples[4].group == "G0")
      #expect(evaluation.runs.map(\.space.name) == ["good", "noise"])
      for run in evaluation.runs {
        #expect(run.folds.map(\.repetition) == [0, 0, 0, 1, 1, 1])
        #expect(run.folds.allSatisfy { $0.learningCurve.count == 5 && $0.validationCount > 0 })
        #expect(run.folds.map(\.testCount) == evaluation.runs[0].folds.map(\.testCount))
        #expect(run.summary[.macroF1]?.mean == Spread(run.folds.compactMap { $0.values[.macroF1] }).mean)
      }
      let (good, noise) = (evaluation.runs[0], evaluation.runs[1])
      #expect(try #require(good.summary[.macroF1]).mean > 0.8)
      #expect(try #require(noise.summary[.macroF1]).mean < 0.6)
      let interval = try #require(good.macroF1Interval)
      let pooled = try #require(good.pooledMacroF1(absent: .skip))
      #expect(interval.lower < pooled && pooled < interval.upper && interval.lower > 0.6)
      let comparison = try #require(evaluation.comparisons.first)
      #expect((comparison.first, comparison.second) == (0, 1))
      #expect(comparison.meanDifference > 0.2)
      #expect(try #require(comparison.correctedT) < 0.01)
      #expect(try #require(comparison.wilcoxon) == 2 / 64)
      #expect(try #require(comparison.interval).lower > 0)
    }
  }

  /// In memory, and in mapped files.
  @Test(arguments: [1, 4]) func resultsDoNotDependOnWhereTablesLie(threads: Int) throws {
    try withDatabase { database in
      let evaluations = try [1 << 20, 0].map { limit in
        try ScratchSpace.$memoryLimit.withValue(limit) {
          try database.writer.database.read { snapshot in
            try plan.run(
              snapshot: snapshot,
              spaces: snapshot.spaces.prefix(2).map {
                ($0, Evaluation.Space(name: $0.name, dimension: $0.dimension))
              }, threads: threads)
          }.evaluation
        }
      }
      #expect(evaluations[1] == evaluations[0])
    }
  }

  @Test func pooledScoresAreThoseOfTheSavedPredictionsAndThresholds() throws {
    try withDatabase { database in
      let evaluation = try database.outcome(plan).evaluation
      let run = evaluation.runs[0]
      let classCount = evaluation.classes.count
      for (repetition, predictions) in run.predictions.enumerated() {
        var exact = 0
        var hits = [Int](repeating: 0, count: classCount)
        for (index, sample) in evaluation.samples.enumerated() {
          let predicted = try #require(
            evaluation.predictedClasses(of: index, in: run, repetition: repetition))
          if predicted == sample.labels { exact += 1 }
          for place in predicted where sample.labels.contains(place) { hits[place] += 1 }
        }
        #expect(predictions.pooled.exactMatches == exact)
        #expect(predictions.pooled.perClass.map(\.truePositives) == hits)
      }
    }
  }

  /// A field of one value a cell: the source, which vectors do not know.
  @Test func aFieldOfOneValueIsOfOneLabel() throws {
    try withDatabase { database in
      var plan = plan
      plan.labelField = "source"
      plan.configuration.calibration = .temperature
      let evaluation = try database.outcome(plan, spaces: ["good"]).evaluation
      let run = evaluation.runs[0]
      #expect(
        evaluation.task == .single && run.configuration.loss == .softmax(isBalanced: false, smoothing: 0))
      #expect(Set(run.summary.keys) == Set(Metric.all(of: .single)))
      var hits = 0
      for (index, sample) in evaluation.samples.enumerated() {
        let predicted = try #require(evaluation.predictedClasses(of: index, in: run))
        #expect(predicted.count == 1)
        let sum = evaluation.classes.indices.reduce(Float(0)) {
          $0 + (evaluation.probability(of: $1, sample: index, in: run) ?? 0)
        }
        #expect(abs(sum - 1) < 1e-5)
        hits += predicted == sample.labels ? 1 : 0
      }
      #expect(run.predictions[0].pooled.exactMatches == hits)
      #expect(run.predictions[0].pooled.value(of: .accuracy) == Double(hits) / 150)

      plan.task = .multi
      plan.configuration.calibration = .isotonic
      #expect(try database.outcome(plan, spaces: ["good"]).evaluation.task == .multi)
      plan.task = .single
      plan.labelField = "localization"
      plan.configuration.calibration = .none
      let fault = #expect(throws: Fault.self) { try database.outcome(plan, spaces: ["good"]) }
      #expect(fault?.kind == .badData && fault?.subject.hasPrefix("cell ") == true)
    }
  }

  @Test func progressCountsEveryHeadOfAnEnsemble() throws {
    try withDatabase { database in
      var plan = plan
      plan.configuration.ensembleCount = 2
      let seen = Mutex<[(trained: Int, all: Int)]>([])
      _ = try database.writer.database.read { snapshot in
        try plan.run(
          snapshot: snapshot,
          spaces: snapshot.spaces.prefix(2).map {
            ($0, Evaluation.Space(name: $0.name, dimension: $0.dimension))
          }, threads: 1
        ) { trained, all in seen.withLock { $0.append((trained, all)) } }
      }
      let counts = seen.withLock { $0 }
      // Two spaces, two repetitions of three folds, two heads each.
      #expect(counts.allSatisfy { $0.all == 24 })
      #expect(counts.map(\.trained) == counts.map(\.trained).sorted() && counts.last?.trained == 24)
    }
  }

  /// Neither what they lack to choose by, nor that voters take too much memory, is found out beside a trained head.
  @Test(arguments: [false, true]) func neighborsThatCannotVoteAreRefusedBeforeOthersAreTrained(
    areLarge: Bool
  ) throws {
    try withDatabase { database in
      var plan = plan
      var neighbors = TrainingConfiguration()
      neighbors.neighbors = NeighborConfiguration(counts: areLarge ? [5] : [1, 5])
      plan.heads = [
        ComparedHead(name: "linear", configuration: plan.configuration),
        ComparedHead(name: "neighbors", configuration: neighbors),
      ]
      if !areLarge { plan.design.validationShare = 0 }
      let fault = #expect(throws: Fault.self) {
        try database.writer.database.read { snapshot in
          _ = try plan.run(
            snapshot: snapshot,
            // Of 149 such vectors those of a fold would take more than 512 MiB.
            spaces: snapshot.spaces.prefix(2).map {
              ($0, Evaluation.Space(name: $0.name, dimension: areLarge ? 2_000_000 : $0.dimension))
            }, threads: 1
          ) { _, _ in throw Fault(.cancelled, "progress", "was told") }
        }
      }
      #expect(fault?.kind == .usage)
      #expect(fault?.subject == (areLarge ? "nearest neighbors" : "a choice of neighbors"))
    }
  }
}
