import Kernels

/// A head in training: its parameters, the state of AdamW, and the buffers of one mini-batch.
final class HeadTrainer {
  private let source: any SampleVectors
  private let labels: LabelTable
  private let standardization: Standardization
  private let shape: HeadShape
  private let dropout: Float
  private let weightDecay: Double
  private let seed: UInt64

  let parameters: FloatBuffer
  private let gradients: FloatBuffer
  private let firstMoments: FloatBuffer
  private let secondMoments: FloatBuffer
  private var stepCount: UInt64 = 0

  /// [batch, width]: the standardised input, each layer's rectified output, and the logits last.
  private let activations: [FloatBuffer]
  /// [batch, width] of each layer's output: the gradient of the loss.
  private let outputGradients: [FloatBuffer]
  /// [batch, classes]
  private let targets: FloatBuffer

  init(
    source: any SampleVectors, labels: LabelTable, standardization: Standardization, shape: HeadShape,
    parameters: [Float], configuration: TrainingConfiguration, batchSize: Int
  ) {
    precondition(parameters.count == shape.parameterCount)
    self.source = source
    self.labels = labels
    self.standardization = standardization
    self.shape = shape
    dropout = configuration.architecture.dropout
    weightDecay = configuration.weightDecay
    seed = configuration.seed
    self.parameters = FloatBuffer(parameters)
    gradients = FloatBuffer(count: parameters.count)
    firstMoments = FloatBuffer(count: parameters.count)
    secondMoments = FloatBuffer(count: parameters.count)
    activations =
      [FloatBuffer(count: batchSize * source.dimension)]
      + shape.layers.map { FloatBuffer(count: batchSize * $0.outputs) }
    outputGradients = shape.layers.map { FloatBuffer(count: batchSize * $0.outputs) }
    targets = FloatBuffer(count: batchSize * labels.classes.count)
  }

  /// One step of the optimiser on these samples, at most a batch of them.
  /// - Returns: the mean loss over samples and classes before the step.
  func step(_ samples: ArraySlice<Int32>, learningRate: Double) -> Double {
    stepCount += 1
    source.gather(samples, into: activations[0].values)
    labels.gather(samples, into: targets.values)
    training_standardize(
      activations[0].start, samples.count, source.dimension, standardization.mean, standardization.scale)
    forward(rows: samples.count)
    let loss = lossAndGradient(rows: samples.count)
    backward(rows: samples.count)
    update(learningRate: learningRate)
    return loss
  }

  private func forward(rows: Int) {
    for (index, layer) in shape.layers.enumerated() {
      let output = activations[index + 1].start
      training_fill_rows(output, rows, layer.outputs, parameters.start + layer.biases.lowerBound)
      MatrixProducts.forward(
        input: activations[index].start, weights: parameters.start + layer.weights.lowerBound, output: output,
        rows: rows, inputs: layer.inputs, outputs: layer.outputs)
      guard index + 1 < shape.layers.count else { return }
      if dropout > 0 {
        let stream = seed &+ stepCount &* UInt64(shape.layers.count) &+ UInt64(index)
        training_relu_dropout(output, rows * layer.outputs, dropout, stream &* 0xD1B5_4A32_D192_ED03)
      } else {
        training_relu(output, rows * layer.outputs)
      }
    }
  }

  private func lossAndGradient(rows: Int) -> Double {
    let last = shape.layers.count - 1
    let count = rows * shape.layers[last].outputs
    let sum = training_binary_cross_entropy(
      activations[last + 1].start, targets.start, count, 1 / Float(count), outputGradients[last].start)
    return sum / Double(count)
  }

  private func backward(rows: Int) {
    for (index, layer) in shape.layers.enumerated().reversed() {
      let outputGradient = outputGradients[index].start
      MatrixProducts.weightGradient(
        outputGradient: outputGradient, input: activations[index].start,
        weightGradient: gradients.start + layer.weights.lowerBound, rows: rows, inputs: layer.inputs,
        outputs: layer.outputs)
      training_column_sums(
        outputGradient, rows, layer.outputs, gradients.start + layer.biases.lowerBound)
      guard index > 0 else { return }
      MatrixProducts.inputGradient(
        outputGradient: outputGradient, weights: parameters.start + layer.weights.lowerBound,
        inputGradient: outputGradients[index - 1].start, rows: rows, inputs: layer.inputs,
        outputs: layer.outputs)
      training_relu_backward(
        outputGradients[index - 1].start, activations[index].start, rows * layer.inputs, 1 / (1 - dropout))
    }
  }

  /// AdamW with PyTorch's betas and epsilon; weights decay, biases do not.
  private func update(learningRate: Double) {
    var step = training_adamw_step(
      rate: learningRate, decay: weightDecay, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: stepCount)
    training_adamw(
      parameters.start, gradients.start, firstMoments.start, secondMoments.start, shape.weightCount, step)
    step.decay = 0
    let biases = shape.weightCount
    training_adamw(
      parameters.start + biases, gradients.start + biases, firstMoments.start + biases,
      secondMoments.start + biases, shape.parameterCount - biases, step)
  }
}
