import Kernels

/// A trained classifier: from a vector to one probability a class.
package struct Head: Sendable, Equatable {
  /// One dense layer, y = weights x + biases.
  struct Layer: Sendable, Equatable {
    let inputs: Int
    let outputs: Int
    /// [outputs, inputs], row-major.
    let weights: [Float]
    let biases: [Float]
  }

  /// Class names, in the order of the probabilities.
  package let classes: [String]
  package let architecture: HeadArchitecture
  /// Length of the vectors that the head takes.
  package let dimension: Int
  /// A class is predicted where its probability exceeds its threshold.
  package var thresholds: [Float]
  /// The first layer takes raw vectors: the standardisation is folded into it.
  let layers: [Layer]

  init(
    classes: [String], architecture: HeadArchitecture, dimension: Int, thresholds: [Float], layers: [Layer]
  ) {
    self.classes = classes
    self.architecture = architecture
    self.dimension = dimension
    self.thresholds = thresholds
    self.layers = layers
  }

  /// The head of these trained parameters, which act on standardised vectors:
  /// w (x - mean) scale + b = (w scale) x + (b - sum of w scale mean).
  init(
    classes: [String], architecture: HeadArchitecture, shape: HeadShape,
    parameters: UnsafeMutableBufferPointer<Float>, standardization: Standardization
  ) {
    let dimension = standardization.mean.count
    var layers = shape.layers.map {
      Layer(
        inputs: $0.inputs, outputs: $0.outputs, weights: Array(parameters[$0.weights]),
        biases: Array(parameters[$0.biases]))
    }
    var weights = layers[0].weights
    var biases = layers[0].biases
    for output in biases.indices {
      var shift = 0.0
      for input in 0..<dimension {
        let folded = weights[output * dimension + input] * standardization.scale[input]
        weights[output * dimension + input] = folded
        shift += Double(folded) * Double(standardization.mean[input])
      }
      biases[output] = Float(Double(biases[output]) - shift)
    }
    layers[0] = Layer(inputs: dimension, outputs: biases.count, weights: weights, biases: biases)
    self.init(
      classes: classes, architecture: architecture, dimension: dimension,
      thresholds: Array(repeating: TrainingConfiguration.Defaults.threshold, count: classes.count),
      layers: layers)
  }

  /// Samples that go through the layers together.
  private static let batchSize = 512

  /// - Returns: [samples.count, classes.count], row-major, in the order of `samples`; each in [0, 1].
  /// - Throws: `unavailable` where OpenBLAS is not installed.
  package func probabilities(of samples: [Int32], in source: some SampleVectors) throws -> [Float] {
    precondition(source.dimension == dimension)
    let batch = FloatBuffer(count: min(Self.batchSize, samples.count) * dimension)
    return try probabilities(count: samples.count) { start, rows in
      source.gather(samples[start..<start + rows], into: batch.values)
      return UnsafePointer(batch.start)
    }
  }

  /// Runs the layers over batches of vectors that `batch` finds for a first row and a number of rows.
  private func probabilities(
    count: Int, batch: (_ start: Int, _ rows: Int) -> UnsafePointer<Float>?
  ) throws -> [Float] {
    try MatrixProducts.load()
    let batchSize = min(Self.batchSize, count)
    let outputs = layers.map { FloatBuffer(count: batchSize * $0.outputs) }
    var probabilities: [Float] = []
    probabilities.reserveCapacity(count * classes.count)
    for start in stride(from: 0, to: count, by: Self.batchSize) {
      let rows = min(Self.batchSize, count - start)
      guard var input = batch(start, rows) else { break }
      for (layer, output) in zip(layers, outputs) {
        training_fill_rows(output.start, rows, layer.outputs, layer.biases)
        MatrixProducts.forward(
          input: input, weights: layer.weights, output: output.start, rows: rows, inputs: layer.inputs,
          outputs: layer.outputs)
        input = UnsafePointer(output.start)
        if output !== outputs.last { training_relu(output.start, rows * layer.outputs) }
      }
      let result = outputs[outputs.count - 1].values.prefix(rows * classes.count)
      training_sigmoid(outputs[outputs.count - 1].start, result.count)
      probabilities += result
    }
    return probabilities
  }
}
