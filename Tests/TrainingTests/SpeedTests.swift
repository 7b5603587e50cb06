import Glibc
import Testing

@testable import Training

/// Figures, not facts: run with
///
///     CELLVEC_SPEED=1 CELLVEC_SWIFT=shared swift test -c release -Xswiftc -enable-testing --filter
///     SpeedTests
@Suite(.serialized, .enabled(if: getenv("CELLVEC_SPEED") != nil, "set CELLVEC_SPEED=1 to time training"))
struct SpeedTests {
  private let cells = SyntheticCells(count: 100_000, dimension: 384, classes: 10, signal: 1, seed: 1)

  private func timed(_ name: String, _ body: () throws -> Double) rethrows {
    let start = ContinuousClock.now
    let score = try body()
    let time = ContinuousClock.now - start
    print("\(name): \(time), score \(score)")
  }

  @Test func linearHeadOn100_000x384() throws {
    let labels = try cells.table
    try timed("linear, 100,000 x 384, 10 classes") {
      let head = try fitHead(
        source: cells.source, labels: labels, samples: Array(0..<100_000),
        configuration: TrainingConfiguration()
      ).head
      let test = [Int32](90_000..<100_000)
      return Scores(
        probabilities: head.probabilities(of: test, in: cells.source), samples: test, labels: labels,
        thresholds: head.thresholds
      ).macroF1
    }
  }

  @Test func foldsAreQuick() throws {
    let labels = try cells.table
    try timed("5 grouped folds of 100,000 samples") {
      let folds = try Folds.grouped(groups: (0..<100_000).map { $0 / 50 }, labels: labels, k: 5, seed: 0)
      return Double(folds.warnings.count)
    }
  }

  @Test func scoringIsQuick() throws {
    let labels = try cells.table
    let samples = Array(0..<Int32(labels.count))
    let probabilities = (0..<labels.count * 10).map { Float($0 * 7919 % 100_003) / 100_003 }
    timed("scores of 100,000 x 10") {
      Scores(
        probabilities: probabilities, samples: samples, labels: labels,
        thresholds: Array(repeating: 0.5, count: 10)
      ).macroF1
    }
  }
}
