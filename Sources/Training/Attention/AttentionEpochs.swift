import Kernels
import Randomness

/// Epochs over the samples of a set.
final class AttentionEpochs {
  var rates: RateControl
  private let net: AttentionNet
  private let bags: CellBags
  private let labels: LabelTable
  private let stream: SampleStream
  private let standardization: Standardization
  private let configuration: TrainingConfiguration
  private let attention: AttentionConfiguration
  private let positiveWeights: [Float]
  private let cellsAtOnce: Int
  private let batchSize: Int
  /// Samples of several cells are few: their orders, and what is drawn of them, lie in memory.
  private let order: ScratchTable<Int32>
  private var vectors = FloatBuffer(count: 0)

  init(
    net: AttentionNet, bags: CellBags, labels: LabelTable, stream: SampleStream,
    standardization: Standardization, configuration: TrainingConfiguration, attention: AttentionConfiguration,
    positiveWeights: [Float], cellsAtOnce: Int
  ) {
    self.net = net
    self.bags = bags
    self.labels = labels
    self.stream = stream
    self.standardization = standardization
    self.configuration = configuration
    self.attention = attention
    self.positiveWeights = positiveWeights
    self.cellsAtOnce = cellsAtOnce
    let count = stream.samples.count
    order = ScratchTable(inMemory: count)
    batchSize = min(configuration.batchSize(samples: count), count)
    rates = RateControl(
      configuration.schedule, peak: configuration.initialLearningRate,
      steps: (count + batchSize - 1) / batchSize * configuration.epochs)
  }

  /// Losses of a sample: one of all classes together, or one a class.
  private var lossesOfSample: Int { configuration.task == .single ? 1 : labels.classes.count }

  /// - Returns: the mean loss over samples, and over classes where each has a loss.
  func train(epoch: Int) -> Double {
    stream.draw(order, seed: configuration.seed, epoch: epoch)
    // The order of samples and the cells that are drawn of them do not depend on each other.
    var generator = SeededGenerator(seed: configuration.seed, stream: UInt64(epoch) | 1 << 41)
    let stepsAnEpoch = (order.count + batchSize - 1) / batchSize
    var sum = 0.0
    for step in 0..<stepsAnEpoch {
      let samples = Array(order[step * batchSize..<min((step + 1) * batchSize, order.count)])
      sum += train(samples[...], step: epoch * stepsAnEpoch + step, &generator)
    }
    return sum / Double(order.count * lossesOfSample)
  }

  /// A step on these samples, on as many at a time as the memory for cells allows.
  /// - Returns: the sum of their losses.
  func train(_ samples: ArraySlice<Int32>, step: Int, _ generator: inout SeededGenerator) -> Double {
    var sum = 0.0
    var drawn = samples.map { (sample: $0, cells: draw(bags.members[Int($0)], &generator)) }[...]
    var part: UInt64 = 0
    while !drawn.isEmpty {
      var (count, cells) = (0, 0)
      for bag in drawn {
        guard count == 0 || cells + bag.cells.count <= cellsAtOnce else { break }
        (count, cells) = (count + 1, cells + bag.cells.count)
      }
      sum += learn(drawn.prefix(count), of: samples.count, step: step, part: part)
      drawn = drawn.dropFirst(count)
      part += 1
    }
    net.step(rate: rates.rate(at: step), decay: configuration.weightDecay)
    return sum
  }

  private func learn(
    _ bags: ArraySlice<(sample: Int32, cells: [Int32])>, of count: Int, step: Int, part: UInt64
  ) -> Double {
    let cells = bags.flatMap(\.cells)
    let dimension = self.bags.cells.dimension
    if vectors.count < cells.count * dimension { vectors = FloatBuffer(count: cells.count * dimension) }
    self.bags.cells.gather(cells[...], into: vectors.values)
    for row in 0..<cells.count {
      training_standardize(
        vectors.start + row * dimension, dimension, standardization.mean, standardization.scale)
    }
    var end = 0
    let ends = bags.map { bag in
      end += bag.cells.count
      return end
    }
    let probability = configuration.architecture.dropout
    let pattern = configuration.seed &+ UInt64(step) &* 0xD1B5_4A32_D192_ED03 &+ part &* 0xA076_1D64_78BD_642F
    return net.learn(
      AttentionNet.Batch(cells: vectors.start, ends: ends, samples: bags.map(\.sample)),
      AttentionNet.Lesson(
        labels: labels, loss: configuration.loss.kernel, positiveWeights: positiveWeights,
        scale: 1 / (Float(count) * Float(lossesOfSample)),
        dropout: probability > 0 ? (probability, pattern) : nil))
  }

  /// All cells of a sample, or as many of them as a step takes, drawn without repetition and in their order.
  private func draw(_ members: [Int32], _ generator: inout SeededGenerator) -> [Int32] {
    guard members.count > attention.cellsAStep else { return members }
    return generator.permutation(of: members.count).prefix(attention.cellsAStep).sorted().map {
      members[Int($0)]
    }
  }
}
