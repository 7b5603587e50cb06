import Faults
import Formats

extension Head {
  /// A safetensors file of the layers: `layers.<i>.weight` [outputs, inputs] and `layers.<i>.bias` [outputs],
  /// float32, ReLU between layers. The first layer takes vectors as they are stored.
  package func encodedWeights() -> [UInt8] {
    let tensors = layers.enumerated().flatMap { index, layer in
      [
        (name: Self.weightName(index), shape: [layer.outputs, layer.inputs], values: layer.weights),
        (name: Self.biasName(index), shape: [layer.outputs], values: layer.biases),
      ]
    }
    return SafetensorsFile.encode(tensors: tensors, metadata: ["format": "pt"])
  }

  /// The head that `encodedWeights` and a `HeadSummary` describe.
  ///
  /// - Parameter name: the head, for faults.
  /// - Throws: `badData` or `missingInput` when the weights are damaged, do not have the summary's shapes, or
  ///   are not finite.
  package init(weights: [UInt8], summary: HeadSummary, name: String) throws {
    let file = try SafetensorsFile(bytes: weights, name: "weights of head \(name)")
    let widths = [summary.dimension] + summary.architecture.hidden + [summary.classes.count]
    let layerCount = widths.count - 1
    let layers = try (0..<layerCount).map { index in
      let (inputs, outputs) = (widths[index], widths[index + 1])
      return Layer(
        inputs: inputs, outputs: outputs,
        weights: try Self.tensor(Self.weightName(index), shape: [outputs, inputs], in: file),
        biases: try Self.tensor(Self.biasName(index), shape: [outputs], in: file))
    }
    guard file.tensorNames.count == 2 * layerCount else {
      throw Fault(
        .badData, file.name, expected: "\(2 * layerCount) tensors", found: "\(file.tensorNames.count)",
        remedy: "train the head again")
    }
    self.init(
      classes: summary.classes, architecture: summary.architecture, dimension: summary.dimension,
      thresholds: summary.thresholds, layers: layers)
  }

  private static func weightName(_ layer: Int) -> String { "layers.\(layer).weight" }
  private static func biasName(_ layer: Int) -> String { "layers.\(layer).bias" }

  private static func tensor(_ name: String, shape: [Int], in file: SafetensorsFile) throws -> [Float] {
    let values = try file.floats(of: name)
    guard file.shape(of: name) == shape else {
      throw Fault(
        .badData, "\(file.name): tensor \(name)", expected: "shape \(shape)",
        found: "\(file.shape(of: name) ?? [])", remedy: "train the head again")
    }
    guard values.allSatisfy(\.isFinite) else {
      throw Fault(
        .badData, "\(file.name): tensor \(name)", expected: "finite numbers", found: "NaN or infinity",
        remedy: "train the head again")
    }
    return values
  }
}
