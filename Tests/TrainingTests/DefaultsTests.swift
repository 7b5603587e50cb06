import Glibc
import Testing

@testable import Training

/// Macro F1 on held-out cells over learning rates and weight decays: where the defaults come from. Run with
///
///     CELLVEC_DEFAULTS=1 CELLVEC_SWIFT=shared swift test -c release -Xswiftc -enable-testing --filter
///     DefaultsTests
@Suite(.enabled(if: getenv("CELLVEC_DEFAULTS") != nil, "set CELLVEC_DEFAULTS=1 to print the grid"))
struct DefaultsTests {
  @Test(
    .serialized,
    arguments: [
      (300, 4.0, []), (300, 8.0, []), (2000, 3.0, []), (2000, 6.0, []), (20_000, 2.0, []),
      (300, 4.0, [128]), (2000, 3.0, [128]), (2000, 3.0, [1024]),
    ] as [(Int, Double, [Int])])
  func grid(count: Int, signal: Double, hidden: [Int]) throws {
    let cells = SyntheticCells(count: count + 4000, dimension: 384, classes: 10, signal: signal, seed: 5)
    let labels = try cells.table
    let test = Array(Int32(count)..<Int32(count + 4000))
    for learningRate in [1e-3, 3e-3, 1e-2] {
      let scores = try [0, 0.04, 0.3].map { weightDecay in
        let head = try fitHead(
          source: cells.source, labels: labels, samples: Array(0..<Int32(count)),
          configuration: TrainingConfiguration(
            architecture: HeadArchitecture(hidden: hidden), learningRate: learningRate,
            weightDecay: weightDecay)
        ).head
        let macroF1 = Scores(
          probabilities: head.probabilities(of: test, in: cells.source), samples: test, labels: labels,
          thresholds: head.thresholds
        ).macroF1
        return Double(Int(macroF1 * 1000)) / 1000
      }
      print("\(count) samples, signal \(signal), hidden \(hidden), rate \(learningRate): \(scores)")
      fflush(nil)
    }
  }
}
