import Glibc
import Randomness

/// Where each layer's weights and biases lie among a head's parameters, which are one run of floats: the
/// weights of all layers, [outputs, inputs] row-major each, then the biases of all layers.
struct HeadShape: Sendable, Equatable {
  struct Layer: Sendable, Equatable {
    let inputs: Int
    let outputs: Int
    let weights: Range<Int>
    let biases: Range<Int>
  }

  let layers: [Layer]
  let weightCount: Int
  let parameterCount: Int

  init(dimension: Int, architecture: HeadArchitecture, classCount: Int) {
    let widths = [dimension] + architecture.hidden + [classCount]
    let sizes = zip(widths, widths.dropFirst())
    weightCount = sizes.reduce(0) { $0 + $1.0 * $1.1 }
    var weight = 0
    var bias = weightCount
    layers = sizes.map { inputs, outputs in
      defer {
        weight += inputs * outputs
        bias += outputs
      }
      return Layer(
        inputs: inputs, outputs: outputs, weights: weight..<weight + inputs * outputs,
        biases: bias..<bias + outputs)
    }
    parameterCount = bias
  }

  /// Parameters to start from: hidden layers uniform within 1 / sqrt(inputs), as PyTorch draws them; a linear
  /// head zero, for its loss is convex; output biases the log odds of each class, or of one class a sample the
  /// logarithms of their frequencies, so that rare classes need not first be unlearned.
  func initialParameters(
    positives: [Int], samples: Int, task: ClassificationTask = .multi, seed: UInt64
  ) -> [Float] {
    var parameters = [Float](repeating: 0, count: parameterCount)
    var generator = SeededGenerator(seed: seed)
    if layers.count > 1 {
      for layer in layers {
        let bound = 1 / Double(layer.inputs).squareRoot()
        for index in layer.weights { parameters[index] = Float(generator.uniform(in: -bound...bound)) }
        for index in layer.biases { parameters[index] = Float(generator.uniform(in: -bound...bound)) }
      }
    }
    for (index, count) in zip(layers[layers.count - 1].biases, positives) {
      let others = task == .single ? samples : samples - count
      parameters[index] = Float(log((Double(count) + 0.5) / (Double(others) + 0.5)))
    }
    return parameters
  }
}
