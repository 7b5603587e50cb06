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

  @Test func aRowIsStandardized() {
    var x: [Float] = [1, 2, 3]
    training_standardize(&x, 3, [1, 1, 1], [1, 2, 3])
    #expect(x == [0, 2, 6])
  }

  @Test(arguments: [(0, 0), (1, 1), (7, 9), (8, 8), (16, 24), (19, 21)])
  func transposedIsEachWordInItsPlace(rows: Int, columns: Int) {
    let (stride, outStride) = (columns + 3, rows + 2)
    let x = (0..<UInt32(rows * stride + 1)).map { $0 }
    var out = [UInt32](repeating: .max, count: columns * outStride + 1)
    training_transpose(x, stride, rows, columns, &out, outStride)
    for column in 0..<columns {
      for row in 0..<outStride {
        #expect(out[column * outStride + row] == (row < rows ? x[row * stride + column] : .max))
      }
    }
  }

  @Test(arguments: [(1, 3), (5, 16), (16, 40), (40, 17)], [8, 16, 32])
  func packedVectorsAreStandardizedInBothPanels(shape: (rows: Int, columns: Int), width: Int) {
    let (rows, columns) = shape
    let (first, panel) = (16, 96)
    let padded = (rows + width - 1) / width * width
    let (x, mean, scale) = (
      normals(rows * columns, seed: 1), normals(columns, seed: 2), normals(columns, seed: 3)
    )
    let panels = (columns + width - 1) / width
    var bySample = [Float](repeating: .nan, count: padded * columns)
    var byColumn = [Float](repeating: .nan, count: panels * panel * width)
    func pack(byColumn: UnsafeMutablePointer<Float>?) {
      x.withUnsafeBufferPointer { x in
        // Vectors lie anywhere: here the last comes first.
        let vectors = (0..<rows).map { row in x.baseAddress.map { $0 + (rows - 1 - row) * columns } }
        training_pack_vectors(
          vectors, rows, padded, columns, mean, scale, width, &bySample, byColumn, first, panel)
      }
    }
    pack(byColumn: &byColumn)
    var written = 0
    for row in 0..<padded {
      for column in 0..<columns {
        let expected =
          row < rows ? (x[(rows - 1 - row) * columns + column] - mean[column]) * scale[column] : 0
        #expect(bySample[(row / width * columns + column) * width + row % width] == expected)
        #expect(byColumn[(column / width * panel + first + row) * width + column % width] == expected)
        written += 1
      }
    }
    #expect(byColumn.count { !$0.isNaN } == written)
    let alone = bySample
    pack(byColumn: nil)
    #expect(bySample == alone)
  }

  @Test(arguments: [1, 31, 70]) func packedColumnsAreWordsInTheirPlaces(columns: Int) {
    let (rows, stride, width, panel) = (6, columns + 5, 16, 9)
    let x = (0..<UInt32(rows * stride)).map { $0 &* 2_654_435_761 }
    let count = (columns + width - 1) / width * panel * width
    var words = [UInt32](repeating: 7, count: count)
    training_pack_columns(x, stride, rows, columns, width, &words, panel)
    let halves = x.flatMap { [UInt16(truncatingIfNeeded: $0), UInt16($0 >> 16)] }
    var pairs = [UInt32](repeating: 7, count: count)
    training_pack_pairs(halves, 2 * stride, rows / 2, columns, width, &pairs, panel)
    for row in 0..<rows {
      for column in 0..<columns {
        let place = { (word: Int) in (column / width * panel + word) * width + column % width }
        #expect(words[place(row)] == x[row * stride + column])
        let half = UInt16(truncatingIfNeeded: pairs[place(row / 2)] >> UInt32(row % 2 * 16))
        #expect(half == halves[row * 2 * stride + column])
      }
    }
    #expect(words.count { $0 == 7 } == count - rows * columns)
    #expect(pairs.count { $0 == 7 } == count - rows / 2 * columns)
  }

  @Test func rectifyingAndItsGradient() {
    var x: [Float] = [-2, -1, 1, -1, .nan] + [Float](repeating: -1, count: 11)
    training_rectify(&x, 16, 1)
    #expect(x == [0, 0, 2, 0, 0] + [Float](repeating: 0, count: 11))
    var gradient = [Float](repeating: 1, count: 16)
    #expect(training_rectify_backward(&gradient, x, 16, 2) == 2)
    #expect(gradient == [0, 0, 2] + [Float](repeating: 0, count: 13))
  }

  @Test func dropoutKeepsItsShareAndTheMean() {
    let count = 20_000
    var x = [Float](repeating: 0.5, count: count)
    training_rectify_drop(&x, count, 0.5, 0.25, 42)
    let kept = x.count { $0 > 0 }
    // Five standard deviations of the binomial are 0.0153.
    #expect(abs(Double(kept) / Double(count) - 0.75) < 0.0153)
    #expect(Set(x) == [0, 1 / Float(0.75)])
    var again = [Float](repeating: 1, count: count)
    training_rectify_drop(&again, count, 0, 0.25, 42)
    #expect(again == x)
    training_rectify_drop(&again, count, 0, 0.25, 43)
    #expect(again != x)
    var negative: [Float] = [-1, -2]
    training_rectify_drop(&negative, 2, 0, 0.25, 1)
    #expect(negative == [0, 0])
  }

  private let losses = [
    training_loss(kind: TRAINING_CROSS_ENTROPY, alpha: 0, positive: 0, negative: 0, margin: 0),
    training_loss(kind: TRAINING_FOCAL, alpha: 0.25, positive: 2, negative: 0, margin: 0),
    training_loss(kind: TRAINING_FOCAL, alpha: -1, positive: 0.5, negative: 0, margin: 0),
    training_loss(kind: TRAINING_FOCAL, alpha: 0.5, positive: 0, negative: 0, margin: 0),
    training_loss(kind: TRAINING_ASYMMETRIC, alpha: 0, positive: 1, negative: 4, margin: 0.05),
    training_loss(kind: TRAINING_ASYMMETRIC, alpha: 0, positive: 0, negative: 4, margin: 0.05),
    training_loss(kind: TRAINING_ASYMMETRIC, alpha: 0, positive: 0, negative: 2, margin: 0),
  ]

  private func value(_ loss: training_loss, x: Double, target t: Double, weight: Double) -> Double {
    let (p, n) = (1 / (1 + exp(-x)), 1 / (1 + exp(x)))
    let minusLogP = log1p(exp(-abs(x))) + max(-x, 0)
    let minusLogN = log1p(exp(-abs(x))) + max(x, 0)
    let (positive, negative) = (Double(loss.positive), Double(loss.negative))
    switch loss.kind {
    case TRAINING_FOCAL:
      let alpha = loss.alpha < 0 ? 1 : Double(loss.alpha) * t + (1 - Double(loss.alpha)) * (1 - t)
      return alpha * pow(p + t - 2 * p * t, positive) * (t * minusLogP + (1 - t) * minusLogN)
    case TRAINING_ASYMMETRIC:
      let m = max(p - Double(loss.margin), 0)
      return t * pow(n, positive) * minusLogP - (1 - t) * pow(m, negative) * log(1 - m)
    default: return weight * t * minusLogP + (1 - t) * minusLogN
    }
  }

  /// -sum of weight q log p of a sample, its logits and targets [classes].
  private func softmaxLoss(_ x: [Double], _ t: [Double], _ weights: [Double], smoothing: Double) -> Double {
    let largest = x.max() ?? 0
    let total = log(x.reduce(0) { $0 + exp($1 - largest) })
    return x.indices.reduce(0) { sum, c in
      let q = (1 - smoothing) * t[c] + smoothing / Double(x.count)
      return sum + weights[c] * q * (total - (x[c] - largest))
    }
  }

  @Test(arguments: instructionSets, [(1, Float(0)), (2, 0), (3, 0.1), (17, 0), (40, 0.3)])
  func softmaxFollowsItsFormula(isa: kernels_isa, head: (classes: Int, smoothing: Float)) {
    let (classes, smoothing) = head
    let (padded, stride) = (48, 64)
    var generator = SeededGenerator(seed: UInt64(classes))
    let logits = (0..<classes * stride).map { _ in Float(generator.uniform(in: -30...30)) }
    let biases = (0..<classes).map { _ in Float(generator.normal()) }
    let weights = (0..<classes).map { _ in Float(generator.uniform(in: 0.2...3)) }
    var targets = [Float](repeating: 0, count: classes * stride)
    for sample in 0..<padded { targets[Int(generator.next() % UInt64(classes)) * stride + sample] = 1 }
    let presence = (0..<padded).map { Float($0 % 5 == 0 ? 0 : 1) }
    var gradient = [Float](repeating: 9, count: classes * stride)
    var (loss, sums) = (7.0, [Double](repeating: 7, count: classes))
    var of = training_softmax_classes(
      count: classes, stride: stride, biases: nil, weights: nil, smoothing: smoothing)
    biases.withUnsafeBufferPointer { biases in
      weights.withUnsafeBufferPointer { weights in
        of.biases = biases.baseAddress
        of.weights = weights.baseAddress
        training_softmax_loss_on(isa, &of, padded, logits, targets, presence, 0.5, &gradient, &loss, &sums)
      }
    }
    var expected = 0.0
    for sample in 0..<padded where presence[sample] > 0 {
      let x = (0..<classes).map { Double(logits[$0 * stride + sample]) + Double(biases[$0]) }
      let t = (0..<classes).map { Double(targets[$0 * stride + sample]) }
      let w = weights.map(Double.init)
      expected += softmaxLoss(x, t, w, smoothing: Double(smoothing))
      for c in 0..<classes {
        func moved(_ step: Double) -> Double {
          var x = x
          x[c] += step
          return softmaxLoss(x, t, w, smoothing: Double(smoothing))
        }
        let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5
        #expect(abs(Double(gradient[c * stride + sample]) - 0.5 * slope) < 5e-6)
      }
    }
    #expect(abs(loss - expected) < 1e-5 * max(1, expected))
    for c in 0..<classes {
      let row = gradient[c * stride..<c * stride + padded]
      #expect(presence.indices.allSatisfy { presence[$0] > 0 || row[c * stride + $0] == 0 })
      #expect(abs(sums[c] - row.reduce(0) { $0 + Double($1) }) < 1e-4)
    }
  }

  @Test(arguments: instructionSets) func softmaxOfExtremeLogitsIsFinite(isa: kernels_isa) {
    let logits: [Float] = [1e38, -1e38, 200, 0, 3e38, -3e38] + [Float](repeating: .nan, count: 10)
    let others: [Float] = [-1e38, 1e38, -200, 0, -3e38, 3e38] + [Float](repeating: .nan, count: 10)
    let targets = [Float](repeating: 1, count: 16) + [Float](repeating: 0, count: 16)
    let presence: [Float] = [1, 1, 1, 1, 1, 1] + [Float](repeating: 0, count: 10)
    var gradient = [Float](repeating: 0, count: 32)
    var (loss, sums) = (0.0, [0.0, 0.0])
    var of = training_softmax_classes(count: 2, stride: 16, biases: nil, weights: nil, smoothing: 0)
    [Float](repeating: 0, count: 2).withUnsafeBufferPointer { biases in
      [Float](repeating: 1, count: 2).withUnsafeBufferPointer { weights in
        of.biases = biases.baseAddress
        of.weights = weights.baseAddress
        training_softmax_loss_on(isa, &of, 16, logits + others, targets, presence, 1, &gradient, &loss, &sums)
      }
    }
    #expect(loss.isFinite && sums.allSatisfy(\.isFinite) && gradient.allSatisfy(\.isFinite))
    #expect(gradient[1] == -1 && gradient[17] == 1 && gradient[3] == -0.5)
    #expect(gradient[4] == 0 && gradient[5] == -1 && gradient[21] == 1)
  }

  @Test func probabilitiesOfExtremeLogits() {
    var row: [Float] = [1e30, -1e30, 1e30, 1, 1, .nan, 0, 0, 0]
    training_softmax(&row, 3, 3)
    #expect(Array(row[0..<3]) == [0.5, 0, 0.5] && row[3..<6].allSatisfy(\.isNaN))
    #expect(abs(row[6] - 1 / Float(3)) < 1e-7)
  }

  @Test func theLikeliestClassIsCounted() {
    // Samples in columns: class 1 of samples 0 and 3, class 0 of 1 and 2; equal logits are of the first class.
    let logits: [Float] = [0, 0, 0, 0, 1, 0, 1, 9, -1, -1, -1, -1]
    let targets: [Float] = [0, 1, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0]
    var counts = [UInt64](repeating: 10, count: 9)
    var of = training_softmax_classes(count: 3, stride: 4, biases: nil, weights: nil, smoothing: 0)
    [Float](repeating: 0, count: 3).withUnsafeBufferPointer { biases in
      of.biases = biases.baseAddress
      training_count_likeliest(&of, 4, logits, targets, [1, 1, 1, 0], &counts)
    }
    #expect(counts == [11, 11, 10, 11, 10, 11, 10, 10, 10])

    // Samples 0 and 1 have a class that is no number: their labels are missed, and nothing else is found.
    counts = [UInt64](repeating: 0, count: 9)
    let broken: [Float] = [.nan, 0, 0, 0, 1, 0, 1, 9, -1, .nan, -1, -1]
    [Float](repeating: 0, count: 3).withUnsafeBufferPointer { biases in
      of.biases = biases.baseAddress
      training_count_likeliest(&of, 4, broken, targets, [1, 1, 0, 0], &counts)
    }
    #expect(counts == [0, 1, 0, 0, 1, 0, 0, 0, 0])
  }

  @Test(arguments: 0..<7) func lossesAndTheirGradientsFollowTheirFormulas(index: Int) {
    var loss = losses[index]
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<200 {
      let logits = (0..<16).map { _ in Float(generator.uniform(in: -12...12)) }
      let targets = (0..<16).map { _ in Float(generator.next() % 5) / 4 }
      let presence = (0..<16).map { Float($0 % 5 == 0 ? 0 : 1) }
      var gradient = [Float](repeating: 9, count: 16)
      var sums = [1.0, 2.0]
      training_loss_row(&loss, 16, logits, 0.25, 3, targets, presence, 0.5, &gradient, &sums)
      var expected = 0.0
      for i in 0..<16 {
        let (x, t) = (Double(logits[i]) + 0.25, Double(targets[i]))
        let there = Double(presence[i])
        expected += there * value(loss, x: x, target: t, weight: 3)
        let step = 1e-5
        let slope =
          (value(loss, x: x + step, target: t, weight: 3) - value(loss, x: x - step, target: t, weight: 3))
          / (2 * step)
        // Differences of the margin's corner are off by no more than the step.
        #expect(abs(Double(gradient[i]) - 0.5 * there * slope) < 2e-6)
      }
      #expect(abs(sums[0] - 1 - expected) < 1e-5 * max(1, expected))
      #expect(abs(sums[1] - 2 - Double(gradient.reduce(0, +))) < 1e-5)
    }
  }

  @Test(arguments: 0..<7) func extremeLogitsOverflowNothing(index: Int) {
    var loss = losses[index]
    let logits: [Float] = [200, -200, 1e38, -1e38, 90, -90, 0, -0.0] + [Float](repeating: .nan, count: 8)
    let targets = (0..<16).map { Float($0 % 2) }
    let presence = [Float](repeating: 1, count: 8) + [Float](repeating: 0, count: 8)
    var gradient = [Float](repeating: 0, count: 16)
    var sums = [0.0, 0.0]
    training_loss_row(&loss, 16, logits, 0, 1, targets, presence, 1, &gradient, &sums)
    #expect(sums.allSatisfy { $0.isFinite })
    #expect(gradient.allSatisfy { $0.isFinite } && gradient.suffix(8).allSatisfy { $0 == 0 })
    training_loss_row(&loss, 16, logits, 0, 1, targets, targets, 1, &gradient, &sums)
    #expect(sums[0].isNaN)
  }

  @Test func countsAreOfSamplesThatCount() {
    let logits: [Float] = [1, 1, -1, -1, 1, 0.5]
    var counts: [UInt64] = [10, 20, 30]
    training_count(logits, -0.6, [1, 0, 1, 0, 1, 1], [1, 1, 1, 1, 0, 1], 6, &counts)
    #expect(counts == [11, 22, 31])
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
    let count = 16
    let gradients = (0..<5).map { normals(count, seed: UInt64($0) + 10) }
    let (ratio, offset) = (normals(count, seed: 30), normals(count, seed: 31))
    var (parameter, first, second) = (
      normals(count, seed: 4), [Float](repeating: 0, count: count), [Float](repeating: 0, count: count)
    )
    var scaled = (parameter, first, second)
    var effective = first
    var (p, m, v) = (
      parameter.map(Double.init), [Double](repeating: 0, count: count), [Double](repeating: 0, count: count)
    )
    for (step, gradient) in gradients.enumerated() {
      let t = Double(step + 1)
      var factors = training_adamw_prepare(
        training_adamw_step(
          rate: 0.01, decay: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: UInt64(step + 1)))
      training_adamw(&factors, count, gradient, &parameter, &first, &second)
      for index in 0..<count {
        let g = Double(gradient[index])
        m[index] = 0.9 * m[index] + 0.1 * g
        v[index] = 0.999 * v[index] + 0.001 * g * g
        p[index] *= 1 - 0.01 * 0.1
        p[index] -=
          0.01 / (1 - pow(0.9, t)) * m[index] / ((v[index] / (1 - pow(0.999, t))).squareRoot() + 1e-8)
        #expect(abs(Double(parameter[index]) - p[index]) < 1e-6)
      }
      // The same gradient, come by way of the transform.
      let shared = (0..<count).map { (gradient[$0] - 0.5 * offset[$0]) / ratio[$0] }
      let sum = training_adamw_scaled(
        &factors, count, shared, 0.5, ratio, offset, &scaled.0, &scaled.1, &scaled.2, &effective)
      for index in 0..<count {
        #expect(abs(scaled.0[index] - parameter[index]) < 1e-5)
        #expect(effective[index] == scaled.0[index] * ratio[index])
      }
      #expect(abs(sum - zip(scaled.0, offset).reduce(0) { $0 + $1.0 * $1.1 }) < 1e-5)
      #expect(training_scaled(count, ratio, offset, scaled.0, &effective) == sum)
    }
  }
}
