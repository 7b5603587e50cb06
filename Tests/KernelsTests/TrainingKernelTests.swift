import Glibc
import Kernels
import Randomness
import Testing

/// Each kernel against its formula in double.
@Suite struct TrainingKernelTests {
  private func normals(_ count: Int, seed: UInt64) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in Float(generator.normal()) }
  }

  @Test(arguments: [0, 1, 3, 8, 17]) func momentsOfShiftedColumns(rows: Int) {
    let columns = 5
    let x = normals(rows * columns, seed: 1)
    let shift = normals(columns, seed: 2)
    var sum = [Double](repeating: 1, count: columns)
    var squares = [Double](repeating: 2, count: columns)
    training_moments(x, rows, columns, shift, &sum, &squares)
    for column in 0..<columns {
      let shifted = (0..<rows).map { Double(x[$0 * columns + column]) - Double(shift[column]) }
      #expect(abs(sum[column] - shifted.reduce(1, +)) < 1e-12)
      #expect(abs(squares[column] - shifted.reduce(2) { $0 + $1 * $1 }) < 1e-12)
    }
  }

  @Test func momentsOfFiniteInputAreFinite() {
    let extremes: [Float] = [.greatestFiniteMagnitude, -.greatestFiniteMagnitude]
    var (sum, squares) = ([0.0], [0.0])
    training_moments(extremes, 2, 1, [-.greatestFiniteMagnitude], &sum, &squares)
    #expect(sum[0].isFinite && squares[0].isFinite)
    training_moments([.nan], 1, 1, [0], &sum, &squares)
    #expect(sum[0].isNaN)
  }

  @Test func rowsAreStandardizedFilledAndSummed() {
    var x: [Float] = [1, 2, 3, 4, 5, 6]
    training_standardize(&x, 2, 3, [1, 1, 1], [1, 2, 3])
    #expect(x == [0, 2, 6, 3, 8, 15])
    var sum: [Float] = [9, 9, 9]
    training_column_sums(x, 2, 3, &sum)
    #expect(sum == [3, 10, 21])
    training_fill_rows(&x, 2, 3, [7, 8, 9])
    #expect(x == [7, 8, 9, 7, 8, 9])
  }

  @Test func rectifyingAndItsGradient() {
    var x: [Float] = [-1, 0, 2, -0.0, .nan]
    training_relu(&x, 5)
    #expect(x == [0, 0, 2, 0, 0])
    var gradient: [Float] = [1, 1, 1, 1, 1]
    training_relu_backward(&gradient, x, 5, 2)
    #expect(gradient == [0, 0, 2, 0, 0])
  }

  @Test func dropoutKeepsItsShareAndTheMean() {
    let count = 20_000
    var x = [Float](repeating: 1, count: count)
    training_relu_dropout(&x, count, 0.25, 42)
    let kept = x.count { $0 > 0 }
    // Five standard deviations of the binomial are 0.0153.
    #expect(abs(Double(kept) / Double(count) - 0.75) < 0.0153)
    #expect(Set(x) == [0, 1 / Float(0.75)])
    var again = [Float](repeating: 1, count: count)
    training_relu_dropout(&again, count, 0.25, 42)
    #expect(again == x)
    training_relu_dropout(&again, count, 0.25, 43)
    #expect(again != x)
    var negative: [Float] = [-1, -2]
    training_relu_dropout(&negative, 2, 0.25, 1)
    #expect(negative == [0, 0])
  }

  @Test func crossEntropyAndItsGradient() {
    let logits = normals(64, seed: 3).map { $0 * 8 } + [0, 200, -200, 1e38, -1e38, 90, -90]
    let targets = (0..<logits.count).map { Float($0 % 3 == 0 ? 1 : 0) }
    var gradient = [Float](repeating: 0, count: logits.count)
    let finite = logits.count - 4
    let loss = training_binary_cross_entropy(logits, targets, finite, 0.5, &gradient)
    var expected = 0.0
    for (index, logit) in logits.prefix(finite).enumerated() {
      let (x, target) = (Double(logit), Double(targets[index]))
      expected += max(x, 0) - x * target + log1p(exp(-abs(x)))
      #expect(abs(Double(gradient[index]) - (1 / (1 + exp(-x)) - target) * 0.5) < 1e-7)
    }
    #expect(abs(loss / expected - 1) < 1e-6)
    #expect(training_binary_cross_entropy(logits, targets, logits.count, 1, &gradient).isFinite)
    #expect(gradient.allSatisfy { abs($0) <= 1 })
  }

  @Test func sigmoidStaysWithinZeroAndOne() {
    var x: [Float] = [0, 2, -2, 1000, -1000, .infinity, -.infinity, .nan]
    training_sigmoid(&x, x.count)
    for (value, expected) in zip(x, [0.5, 0.880797078, 0.119202922, 1, 0, 1, 0]) {
      #expect(abs(Double(value) - expected) < 1e-7)
    }
    #expect(x[7].isNaN)
  }

  @Test func adamWFollowsItsEquations() {
    let gradients = (0..<5).map { normals(9, seed: UInt64($0) + 10) }
    var (parameter, first, second) = (
      normals(9, seed: 4), [Float](repeating: 0, count: 9), [Float](repeating: 0, count: 9)
    )
    var (p, m, v) = (
      parameter.map(Double.init), [Double](repeating: 0, count: 9), [Double](repeating: 0, count: 9)
    )
    for (step, gradient) in gradients.enumerated() {
      let t = Double(step + 1)
      training_adamw(
        &parameter, gradient, &first, &second, 9,
        training_adamw_step(
          rate: 0.01, decay: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: UInt64(step + 1)))
      for index in 0..<9 {
        let g = Double(gradient[index])
        m[index] = 0.9 * m[index] + 0.1 * g
        v[index] = 0.999 * v[index] + 0.001 * g * g
        p[index] *= 1 - 0.01 * 0.1
        p[index] -=
          0.01 / (1 - pow(0.9, t)) * m[index] / ((v[index] / (1 - pow(0.999, t))).squareRoot() + 1e-8)
        #expect(abs(Double(parameter[index]) - p[index]) < 1e-6)
      }
    }
  }
}
