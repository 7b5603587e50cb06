import Kernels
import Randomness

/// An attention over cells and the head on it, in training together.
///
/// Cells come standardised by the cells of the train samples; the layers take the pooled vectors standardised by the
/// means of the train samples, as a head on these means does. Weights of zero for the scores make the two the same.
final class AttentionNet {
  /// Standardised cells, and whose they are.
  struct Batch {
    /// [cells, dimension], the cells of a sample side by side.
    let cells: UnsafePointer<Float>
    /// Where the cells of each sample end.
    let ends: [Int]
    let samples: [Int32]

    var cellCount: Int { ends.last ?? 0 }
  }

  /// What a batch is learned by.
  struct Lesson {
    let labels: LabelTable
    let loss: HeadLoss.Kernel
    let positiveWeights: [Float]
    /// Of the gradient: 1 / (samples of the step x losses of a sample).
    let scale: Float
    let dropout: (probability: Float, seed: UInt64)?
  }

  let shape: HeadShape
  let width: Int
  let gates: TrainedLayer
  let scores: TrainedLayer
  let layers: [TrainedLayer]
  private let dimension: Int
  private let cellStandardization: Standardization
  private let meanStandardization: Standardization
  private let scratch = ProductScratch()
  private var stepCount: UInt64 = 0

  // Memory for batches, which grows with them.
  private var opened = FloatBuffer(count: 0)
  private var products = FloatBuffer(count: 0)
  private var gateGradients = FloatBuffer(count: 0)
  private var pooled = FloatBuffer(count: 0)
  private var activations: [FloatBuffer]
  private var gradients: [FloatBuffer]
  private var classMajor: [FloatBuffer]

  init(
    shape: HeadShape, width: Int, cells: Standardization, means: Standardization
  ) {
    self.shape = shape
    self.width = width
    dimension = cells.mean.count
    cellStandardization = cells
    meanStandardization = means
    gates = TrainedLayer(inputs: dimension, outputs: 2 * width)
    scores = TrainedLayer(inputs: width, outputs: 1, hasBiases: false)
    layers = shape.layers.map { TrainedLayer(inputs: $0.inputs, outputs: $0.outputs) }
    let empty = FloatBuffer(count: 0)
    activations = Array(repeating: empty, count: layers.count + 1)
    gradients = activations
    classMajor = Array(repeating: empty, count: 4)
  }

  /// Gates uniform within 1 / sqrt(dimension), as PyTorch draws them, and scores of zero; the layers as those of a head
  /// on means.
  func initialize(layers parameters: [Float], seed: UInt64) {
    set(layers: parameters)
    var generator = SeededGenerator(seed: seed, stream: Self.gateStream)
    let bound = 1 / Double(dimension).squareRoot()
    gates.weights.values = (0..<gates.weights.count).map { _ in
      Float(generator.uniform(in: -bound...bound))
    }
    gates.biases?.values = (0..<gates.outputs).map { _ in Float(generator.uniform(in: -bound...bound)) }
  }

  /// A stream that no epoch has.
  private static let gateStream = UInt64(1) << 40

  /// - Parameter parameters: as `HeadShape` lays them out.
  func set(layers parameters: [Float]) {
    for (place, layer) in zip(shape.layers, layers) {
      layer.weights.values = Array(parameters[place.weights])
      layer.biases?.values = Array(parameters[place.biases])
    }
  }

  /// As `HeadShape` lays them out.
  var layerParameters: [Float] {
    layers.flatMap(\.weights.values) + layers.flatMap { $0.biases?.values ?? [] }
  }

  /// The attention as it takes raw vectors, and the head on it.
  func head(classes: [String], configuration: TrainingConfiguration) -> Head {
    var head = Head(
      classes: classes, architecture: configuration.architecture, dimension: dimension,
      thresholds: classes.map { _ in configuration.fixedThreshold },
      members: [Head.layers(shape, parameters: layerParameters, standardization: meanStandardization)],
      task: configuration.task)
    head.attention = CellAttention(
      standardizedGates: gates.layer, scores: scores.weights.values, standardization: cellStandardization)
    return head
  }

  /// Adds what a batch adds to all gradients.
  /// - Returns: the sum of the losses of its samples.
  func learn(_ batch: Batch, _ lesson: Lesson) -> Double {
    let count = batch.samples.count
    let weights = attend(batch)
    // The standardisation of means, given that of cells.
    let (ratio, offset) = meansOfCells
    grow(&activations[0], count * dimension)
    let input = activations[0].start
    for sample in 0..<count {
      for index in 0..<dimension {
        let at = sample * dimension + index
        input[at] = pooled.start[at] * ratio[index] + offset[index]
      }
    }
    forward(count, lesson.dropout)
    let loss = findLoss(batch, lesson)
    let kept = 1 - (lesson.dropout?.probability ?? 0)
    for (index, layer) in layers.enumerated().reversed() {
      grow(&gradients[index], count * layer.inputs)
      layer.backward(
        gradients[index + 1].start, x: activations[index].start, rows: count, into: gradients[index].start,
        scratch)
      if index > 0 {
        _ = training_rectify_backward(
          gradients[index].start, activations[index].start,
          (count * layer.inputs).rounded(upTo: TRAINING_LANES),
          1 / kept)
      }
    }
    attendBackward(batch, weights: weights, ratio: ratio)
    return loss
  }

  /// A step of AdamW by the gradients of all batches since the last.
  func step(rate: Double, decay: Double) {
    stepCount += 1
    func factors(decay: Double) -> training_adamw_factors {
      training_adamw_prepare(
        training_adamw_step(
          rate: rate, decay: decay, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: stepCount))
    }
    let (weights, biases) = (factors(decay: decay), factors(decay: 0))
    for layer in [gates, scores] + layers { layer.step(weights: weights, biases: biases) }
  }

  // MARK: Attention

  private var meansOfCells: (ratio: [Float], offset: [Float]) {
    let (cells, means) = (cellStandardization, meanStandardization)
    return (
      (0..<dimension).map { means.scale[$0] / cells.scale[$0] },
      (0..<dimension).map { (cells.mean[$0] - means.mean[$0]) * means.scale[$0] }
    )
  }

  /// Leaves opened gates, their products and pooled vectors; returns the weight of each cell.
  private func attend(_ batch: Batch) -> [Float] {
    let cells = batch.cellCount
    grow(&opened, cells * 2 * width)
    grow(&products, cells * width)
    gates.forward(batch.cells, rows: cells, into: opened.start, scratch)
    CellAttention.openGates(opened.start, rows: cells, width: width)
    for cell in 0..<cells {
      let (own, product) = (opened.start + cell * 2 * width, products.start + cell * width)
      for gate in 0..<width { product[gate] = own[gate] * own[width + gate] }
    }
    let found = FloatBuffer(count: cells)
    scores.forward(products.start, rows: cells, into: found.start, scratch)
    grow(&pooled, batch.samples.count * dimension)
    var weights: [Float] = []
    weights.reserveCapacity(cells)
    for (sample, end) in batch.ends.enumerated() {
      let first = weights.count
      weights += CellAttention.softmax((first..<end).map { Double(found.start[$0]) })
      let sum = pooled.start + sample * dimension
      sum.update(repeating: 0, count: dimension)
      for cell in first..<end {
        let (weight, vector) = (weights[cell], batch.cells + cell * dimension)
        for index in 0..<dimension { sum[index] += weight * vector[index] }
      }
    }
    return weights
  }

  /// From the gradients of the layers' inputs to those of scores and gates.
  private func attendBackward(_ batch: Batch, weights: [Float], ratio: [Float]) {
    let cells = batch.cellCount
    let scoreGradients = FloatBuffer(count: cells)
    var first = 0
    for (sample, end) in batch.ends.enumerated() {
      let own = gradients[0].start + sample * dimension
      // What the loss gains by more weight of a cell, but for what all cells of the sample share.
      var gains: [Double] = []
      for cell in first..<end {
        let vector = batch.cells + cell * dimension
        var sum: Float = 0
        for index in 0..<dimension { sum += own[index] * ratio[index] * vector[index] }
        gains.append(Double(sum))
      }
      let mean = zip(gains, weights[first..<end]).reduce(0) { $0 + $1.0 * Double($1.1) }
      for (place, cell) in (first..<end).enumerated() {
        scoreGradients.start[cell] = Float(Double(weights[cell]) * (gains[place] - mean))
      }
      first = end
    }
    let productGradients = FloatBuffer(count: cells * width)
    scores.backward(
      scoreGradients.start, x: products.start, rows: cells, into: productGradients.start, scratch)
    grow(&gateGradients, cells * 2 * width)
    for cell in 0..<cells {
      let (own, target) = (opened.start + cell * 2 * width, gateGradients.start + cell * 2 * width)
      let gradient = productGradients.start + cell * width
      for gate in 0..<width {
        let (t, s) = (own[gate], own[width + gate])
        target[gate] = gradient[gate] * s * (1 - t * t)
        target[width + gate] = gradient[gate] * t * s * (1 - s)
      }
    }
    gates.backward(gateGradients.start, x: batch.cells, rows: cells, into: nil, scratch)
  }

  // MARK: Layers

  private func forward(_ rows: Int, _ dropout: (probability: Float, seed: UInt64)?) {
    for (index, layer) in layers.enumerated() {
      grow(&activations[index + 1], rows * layer.outputs)
      let output = activations[index + 1].start
      layer.forward(activations[index].start, rows: rows, into: output, scratch)
      guard index + 1 < layers.count else { return }
      if let dropout {
        training_rectify_drop(
          output, rows * layer.outputs, 0, dropout.probability,
          dropout.seed &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15)
      } else {
        training_rectify(output, rows * layer.outputs, 0)
      }
    }
  }

  /// Leaves the gradients of the logits.
  /// - Returns: the sum of the losses.
  private func findLoss(_ batch: Batch, _ lesson: Lesson) -> Double {
    let (count, classCount) = (batch.samples.count, lesson.labels.classes.count)
    let padded = count.rounded(upTo: TRAINING_LANES)
    for index in classMajor.indices { grow(&classMajor[index], classCount * padded) }
    let (logits, targets, gradient) = (classMajor[0].start, classMajor[1].start, classMajor[2].start)
    let presence = classMajor[3].start
    for buffer in classMajor { buffer.values.update(repeating: 0) }
    for (column, sample) in batch.samples.enumerated() {
      presence[column] = 1
      for index in 0..<classCount {
        logits[index * padded + column] = activations[layers.count].start[column * classCount + index]
      }
      for member in lesson.labels.classes(of: sample) { targets[Int(member) * padded + column] = 1 }
    }
    var loss = 0.0
    switch lesson.loss {
    case .perClass(var kind):
      for index in 0..<classCount {
        let at = index * padded
        var sums = [0.0, 0.0]
        training_loss_row(
          &kind, padded, logits + at, 0, lesson.positiveWeights[index], targets + at, presence, lesson.scale,
          gradient + at, &sums)
        loss += sums[0]
      }
    case .softmax(let smoothing):
      let biases = [Float](repeating: 0, count: classCount)
      var biasSums = [Double](repeating: 0, count: classCount)
      biases.withUnsafeBufferPointer { biases in
        lesson.positiveWeights.withUnsafeBufferPointer { weights in
          var classes = training_softmax_classes(
            count: classCount, stride: padded, biases: biases.baseAddress, weights: weights.baseAddress,
            smoothing: smoothing)
          training_softmax_loss(
            &classes, padded, logits, targets, presence, lesson.scale, gradient, &loss, &biasSums)
        }
      }
    }
    grow(&gradients[layers.count], count * classCount)
    for column in 0..<count {
      for index in 0..<classCount {
        gradients[layers.count].start[column * classCount + index] = gradient[index * padded + column]
      }
    }
    return loss
  }

  /// Room for so many numbers, in whole registers; what was there is gone.
  private func grow(_ buffer: inout FloatBuffer, _ count: Int) {
    let padded = count.rounded(upTo: TRAINING_LANES)
    if buffer.count < padded { buffer = FloatBuffer(count: padded) }
  }
}
