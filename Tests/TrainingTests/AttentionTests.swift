import Faults
import Glibc
import Randomness
import Testing

@testable import Training

/// An attention as PyTorch trained it.
private struct AttentionFixture: Decodable {
  struct State: Decodable {
    let gates, gateBiases, scores, layers: [Float]
  }

  let task: ClassificationTask
  let hidden: [Int]
  let width, dimension: Int
  let learningRate, weightDecay: Double
  let cells: [Float]
  let sizes: [Int]
  let labels: [[Int]]
  let initial, trained: State
  let batches: [[Int32]]
  let losses: [Double]
  let probabilities, weights: [Float]
}

/// Samples of twelve cells, one of which tells the class: the others are noise.
private struct TellingCells {
  static let size = 12
  let vectors: UnitVectors
  let labels: LabelTable
  /// The cell of each sample that tells.
  let telling: [Int]

  init(count: Int, dimension: Int = 8) throws {
    var generator = SeededGenerator(seed: 5)
    var (values, names, telling): ([Float], [[String]], [Int]) = ([], [], [])
    for sample in 0..<count {
      let kind = sample % 2
      let teller = Int(generator.next() % UInt64(Self.size))
      for cell in 0..<Self.size {
        for index in 0..<dimension {
          let noise = Float(generator.normal())
          // A telling cell lies far out in the first direction, to the side of its class in the second.
          let signal: Float = cell != teller ? 0 : index == 0 ? 6 : index == 1 ? (kind == 0 ? 3 : -3) : 0
          values.append(noise + signal)
        }
      }
      names.append([kind == 0 ? "a" : "b"])
      telling.append(teller)
    }
    vectors = UnitVectors(
      of: InMemoryVectors(values, dimension: dimension),
      members: (0..<count).map { sample in (0..<Self.size).map { Int32(sample * Self.size + $0) } })
    labels = try LabelTable(labels: names)
    self.telling = telling
  }
}

@Suite struct AttentionTests {
  private func net(_ fixture: AttentionFixture) throws -> (AttentionNet, AttentionEpochs, UnitVectors) {
    let labels = try labelTable(fixture.labels, classCount: 3)
    let source = InMemoryVectors(fixture.cells, dimension: fixture.dimension)
    var end = 0
    let members = fixture.sizes.map { size in
      end += size
      return (end - size..<end).map { Int32($0) }
    }
    let vectors = UnitVectors(of: source, members: members)
    var configuration = TrainingConfiguration(
      architecture: HeadArchitecture(hidden: fixture.hidden), epochs: 25, batchSize: 6,
      learningRate: fixture.learningRate, weightDecay: fixture.weightDecay
    ).adapted(to: fixture.task)
    configuration.attention = AttentionConfiguration(width: fixture.width)
    let set = TrainingSet(samples: Array(0..<Int32(labels.count)))
    let standardization = try Standardization(source, samples: 0..<Int32(source.count), labels: labels)
    let net = AttentionNet(
      shape: HeadShape(
        dimension: fixture.dimension, architecture: configuration.architecture, classCount: 3),
      width: fixture.width, cells: standardization,
      means: try Standardization(vectors.means, samples: set.samples, labels: labels))
    net.gates.weights.values = fixture.initial.gates
    net.gates.biases?.values = fixture.initial.gateBiases
    net.scores.weights.values = fixture.initial.scores
    net.set(layers: fixture.initial.layers)
    let epochs = AttentionEpochs(
      net: net, bags: try #require(vectors.bags), labels: labels,
      stream: try SampleStream(sets: [set], labels: labels), standardization: standardization,
      configuration: configuration, attention: AttentionConfiguration(width: fixture.width),
      positiveWeights: [1, 1, 1], cellsAtOnce: 17)
    return (net, epochs, vectors)
  }

  /// Batches are learned in parts of at most 17 cells, which must change nothing.
  @Test(arguments: 0..<2) func aHundredStepsFollowPyTorch(index: Int) throws {
    let fixture = try decodeFixture("attention", as: [AttentionFixture].self)[index]
    let (net, epochs, vectors) = try net(fixture)
    var generator = SeededGenerator(seed: 0)
    for (step, batch) in fixture.batches.enumerated() {
      let count = batch.count * (fixture.task == .single ? 1 : 3)
      let loss = epochs.train(batch[...], step: step, &generator) / Double(count)
      #expect(abs(loss / fixture.losses[step] - 1) < 1e-4, "step \(step)")
    }
    func expectNear(_ found: [Float], _ expected: [Float], _ tolerance: Float) {
      #expect(found.count == expected.count)
      for (found, expected) in zip(found, expected) { #expect(abs(found - expected) < tolerance) }
    }
    expectNear(net.gates.weights.values, fixture.trained.gates, 2e-4)
    expectNear(net.gates.biases?.values ?? [], fixture.trained.gateBiases, 2e-4)
    expectNear(net.scores.weights.values, fixture.trained.scores, 2e-4)
    expectNear(net.layerParameters, fixture.trained.layers, 2e-4)

    let configuration = TrainingConfiguration(architecture: HeadArchitecture(hidden: fixture.hidden))
      .adapted(to: fixture.task)
    let head = net.head(classes: ["0", "1", "2"], configuration: configuration)
    let samples = Array(0..<Int32(fixture.labels.count))
    expectNear(head.probabilities(of: samples, in: vectors.seen(by: head)), fixture.probabilities, 1e-4)
    let bags = try #require(vectors.bags)
    var weights: [Float] = []
    let pooled = FloatBuffer(count: samples.count * fixture.dimension)
    head.attention?.pool(bags.members, of: bags.cells, into: pooled.values) { weights += $1 }
    expectNear(weights, fixture.weights, 1e-4)
    // Of each sample the cell of the largest weight.
    let reversed = Array(samples.reversed())
    let attended = try #require(vectors.mostAttended(of: reversed, by: head))
    #expect(attended.count == samples.count)
    for (sample, found) in zip(reversed, attended) {
      let own = bags.members[Int(sample)]
      let expected = own.max { fixture.weights[Int($0)] < fixture.weights[Int($1)] }
      #expect(found.cell == expected && abs(found.weight - fixture.weights[Int(found.cell)]) < 1e-4)
    }
  }

  /// Central differences of the loss, a number of each kind of parameters after another.
  @Test func gradientsAreThoseOfTheLoss() throws {
    let fixture = try decodeFixture("attention", as: [AttentionFixture].self)[1]
    let (net, _, vectors) = try net(fixture)
    let bags = try #require(vectors.bags)
    let labels = try labelTable(fixture.labels, classCount: 3)
    let cells = FloatBuffer(count: bags.cells.count * fixture.dimension)
    bags.cells.gather(Array(0..<Int32(bags.cells.count))[...], into: cells.values)
    for index in cells.values.indices { cells.values[index] /= 4 }
    let batch = AttentionNet.Batch(
      cells: cells.start, ends: bags.members.map { Int($0.last ?? 0) + 1 },
      samples: Array(0..<Int32(labels.count)))
    let lesson = AttentionNet.Lesson(
      labels: labels, loss: .softmax(smoothing: 0), positiveWeights: [1, 1, 1], scale: 1, dropout: nil)
    _ = net.learn(batch, lesson)
    let numbers =
      [net.gates.weights, net.gates.biases, net.scores.weights].compactMap(\.self)
      + net.layers.flatMap { [$0.weights, $0.biases].compactMap(\.self) }
    let gradients = numbers.map { Array($0.gradient.values.prefix($0.count)) }
    let step: Float = 1e-2
    for (own, gradient) in zip(numbers, gradients) {
      for index in stride(from: 0, to: own.count, by: max(own.count / 7, 1)) {
        let value = own.value.start[index]
        own.value.start[index] = value + step
        let above = net.learn(batch, lesson)
        own.value.start[index] = value - step
        let below = net.learn(batch, lesson)
        own.value.start[index] = value
        let expected = (above - below) / Double(2 * step)
        // Second differences, and a loss of some tens in float32.
        #expect(abs(Double(gradient[index]) - expected) < 0.02 + 0.02 * abs(expected))
      }
    }
  }

  private func heads(
    _ cells: TellingCells, attention: AttentionConfiguration?, threads: Int = 1
  ) throws -> [HeadFit] {
    var configuration = TrainingConfiguration(epochs: 60, batchSize: 16, learningRate: 0.02)
      .adapted(to: .single)
    configuration.attention = attention
    let (train, other) = (Array(0..<Int32(160)), Array(40..<Int32(200)))
    return try fitHeads(
      on: cells.vectors, labels: cells.labels, targets: nil,
      sets: [TrainingSet(samples: train, fold: 0), TrainingSet(samples: other, fold: 1)],
      configuration: configuration, threads: threads, progress: { _ in })
  }

  private func accuracy(_ head: Head, _ cells: TellingCells) -> Double {
    let samples = Array(200..<Int32(cells.labels.count))
    return Scores(
      probabilities: head.probabilities(of: samples, in: cells.vectors.seen(by: head)), samples: samples,
      labels: cells.labels, thresholds: [0, 0], task: .single
    ).value(of: .accuracy) ?? 0
  }

  @Test func attentionFindsTheCellThatTellsAndMeansDoNot() throws {
    let cells = try TellingCells(count: 300)
    let mean = try heads(cells, attention: nil)[0].head
    let attended = try heads(cells, attention: AttentionConfiguration(width: 8))[0].head
    #expect(mean.attention == nil)
    #expect(accuracy(attended, cells) > 0.95)
    #expect(accuracy(mean, cells) < 0.9)
    let bags = try #require(cells.vectors.bags)
    let pooled = FloatBuffer(count: 300 * 8)
    var found = 0
    attended.attention?.pool(bags.members, of: bags.cells, into: pooled.values) { sample, weights in
      #expect(abs(weights.reduce(0, +) - 1) < 1e-5)
      found += weights.indices.max { weights[$0] < weights[$1] } == cells.telling[sample] ? 1 : 0
    }
    #expect(found > 270)
  }

  @Test func headsDoNotDependOnTheNumberOfThreads() throws {
    let cells = try TellingCells(count: 200)
    // Five cells of twelve are drawn in each step.
    let attention = AttentionConfiguration(width: 4, cellsAStep: 5)
    #expect(try heads(cells, attention: attention) == heads(cells, attention: attention, threads: 2))
  }

  @Test func aCellThatIsNoVectorIsNamedByItsSample() throws {
    let cells = try TellingCells(count: 40)
    let bags = try #require(cells.vectors.bags)
    let buffer = FloatBuffer(count: bags.cells.count * 8)
    bags.cells.gather(Array(0..<Int32(bags.cells.count))[...], into: buffer.values)
    buffer.values[(7 * TellingCells.size + 2) * 8] = .nan
    let vectors = UnitVectors(
      of: InMemoryVectors(Array(buffer.values), dimension: 8), members: bags.members)
    var configuration = TrainingConfiguration(epochs: 2).adapted(to: .single)
    for attention in [nil, AttentionConfiguration(width: 4)] {
      configuration.attention = attention
      let fault = try #require(throws: Fault.self) {
        try crossValidate(
          vectors: vectors, labels: cells.labels, folds: .ungrouped(labels: cells.labels, k: 4, seed: 1),
          configuration: configuration, threads: 2)
      }
      #expect(fault.subject == "vector of sample 7")
    }
  }

  /// Samples of more cells than are looked at together.
  @Test func largeSamplesArePooledAsTheFormulaSays() {
    var generator = SeededGenerator(seed: 2)
    let count = 700
    let values = (0..<count * 3).map { _ in Float(generator.normal()) }
    let gates = Head.Layer(
      inputs: 3, outputs: 4, weights: (0..<12).map { _ in Float(generator.normal()) },
      biases: [0.1, -0.2, 0.3, 0])
    let attention = CellAttention(gates: gates, scores: [1.5, -2])
    let pooled = FloatBuffer(count: 6)
    let members = [Array(0..<Int32(count)), [699, 3]]
    attention.pool(members, of: InMemoryVectors(values, dimension: 3), into: pooled.values) { _, _ in }
    for (sample, members) in members.enumerated() {
      var (sums, total) = ([0.0, 0.0, 0.0], 0.0)
      for member in members {
        let x = (0..<3).map { Double(values[Int(member) * 3 + $0]) }
        let opened = (0..<4).map { gate in
          Double(gates.biases[gate]) + (0..<3).reduce(0) { $0 + Double(gates.weights[gate * 3 + $1]) * x[$1] }
        }
        let score =
          1.5 * tanh(opened[0]) / (1 + exp(-opened[2])) - 2 * tanh(opened[1]) / (1 + exp(-opened[3]))
        total += exp(score)
        for index in 0..<3 { sums[index] += exp(score) * x[index] }
      }
      for index in 0..<3 {
        #expect(abs(Double(pooled.start[sample * 3 + index]) - sums[index] / total) < 1e-5)
      }
    }
  }

  @Test func aHeadComesBackFromItsFile() throws {
    let cells = try TellingCells(count: 200)
    let head = try heads(cells, attention: AttentionConfiguration(width: 4))[0].head
    let summary = HeadSummary(of: head, unit: .field("gene"), labelField: "l")
    let read = try HeadSummary(json: try summary.json(), name: "h")
    #expect(read.unit == .field("gene") && read.attentionWidth == 4)
    #expect(try Head(weights: head.encodedWeights(), summary: read, name: "h") == head)
    let damaged = try summary.json().replacing("\"attentionWidth\":4", with: "\"attentionWidth\":5")
    #expect(throws: Fault.self) {
      try Head(
        weights: head.encodedWeights(), summary: HeadSummary(json: damaged, name: "h"), name: "h")
    }
  }

  @Test func whatDoesNotGoWithAttentionIsRefused() throws {
    var configuration = TrainingConfiguration()
    let attention = AttentionConfiguration()
    #expect(throws: Never.self) { try attention.validate(within: configuration, unit: .image) }
    #expect(throws: Fault.self) { try attention.validate(within: configuration, unit: .cell) }
    #expect(throws: Fault.self) {
      try AttentionConfiguration(width: 0).validate(within: configuration, unit: .image)
    }
    #expect(throws: Fault.self) {
      try AttentionConfiguration(cellsAStep: 0).validate(within: configuration, unit: .image)
    }
    configuration.precision = .bfloat16
    #expect(throws: Fault.self) { try attention.validate(within: configuration, unit: .image) }
    configuration.precision = .float32
    configuration.ensembleCount = 2
    #expect(throws: Fault.self) { try attention.validate(within: configuration, unit: .image) }
    configuration.ensembleCount = 1
    configuration.grid = ParameterGrid(learningRates: [0.1, 0.2], weightDecays: [0])
    #expect(throws: Fault.self) { try attention.validate(within: configuration, unit: .image) }
  }
}
