import Faults
import Formats

extension Head {
  /// A safetensors file of the layers: `layers.<i>.weight` [outputs, inputs] and `layers.<i>.bias` [outputs],
  /// float32, ReLU between layers; of an ensemble, `members.<m>.` stands before each name. The first layer
  /// takes vectors as they are stored. Of an attention over cells, `attention.gates.weight` [2 width, dimension],
  /// `attention.gates.bias` [2 width] and `attention.scores` [width].
  ///
  /// - Parameter metadata: texts that the file is to hold beside them.
  package func encodedWeights(metadata: [String: String] = [:]) -> [UInt8] {
    let tensors = members.enumerated().flatMap { number, layers in
      layers.enumerated().flatMap { index, layer in
        [
          (
            name: weightName(index, of: number), shape: [layer.outputs, layer.inputs], values: layer.weights
          ), (name: biasName(index, of: number), shape: [layer.outputs], values: layer.biases),
        ]
      }
    }
    return SafetensorsFile.encode(
      tensors: (attention?.tensors ?? []) + tensors, metadata: metadata.merging(["format": "pt"]) { $1 })
  }

  /// The head that `encodedWeights` and a `HeadSummary` describe.
  ///
  /// - Parameter name: the head, for faults.
  /// - Throws: `badData` or `missingInput` when the weights are damaged, do not have the summary's shapes, or
  ///   are not finite.
  package init(weights: [UInt8], summary: HeadSummary, name: String) throws {
    try self.init(
      file: try SafetensorsFile(bytes: weights, name: "weights of head \(name)"), summary: summary)
  }

  /// - Throws: as above.
  init(file: SafetensorsFile, summary: HeadSummary) throws {
    let widths = [summary.dimension] + summary.architecture.hidden + [summary.classes.count]
    let layerCount = widths.count - 1
    let prefixes = Self.prefixes(summary.memberCount)
    let members = try prefixes.map { prefix in
      try (0..<layerCount).map { index in
        let (inputs, outputs) = (widths[index], widths[index + 1])
        return Layer(
          inputs: inputs, outputs: outputs,
          weights: try Self.tensor("\(prefix)layers.\(index).weight", shape: [outputs, inputs], in: file),
          biases: try Self.tensor("\(prefix)layers.\(index).bias", shape: [outputs], in: file))
      }
    }
    let attention = try summary.attentionWidth.map {
      try CellAttention(dimension: summary.dimension, width: $0, file: file)
    }
    let tensorCount = 2 * layerCount * members.count + (attention?.tensors.count ?? 0)
    guard file.tensorNames.count == tensorCount else {
      throw Fault(
        .badData, file.name, expected: "\(tensorCount) tensors", found: "\(file.tensorNames.count)",
        remedy: "train the head again")
    }
    self.init(
      classes: summary.classes, architecture: summary.architecture, dimension: summary.dimension,
      thresholds: summary.thresholds, members: members, task: summary.task)
    calibration = summary.calibration ?? .none
    self.attention = attention
  }

  private static func prefixes(_ memberCount: Int) -> [String] {
    memberCount == 1 ? [""] : (0..<memberCount).map { "members.\($0)." }
  }

  private func weightName(_ layer: Int, of member: Int) -> String {
    "\(Self.prefixes(members.count)[member])layers.\(layer).weight"
  }

  private func biasName(_ layer: Int, of member: Int) -> String {
    "\(Self.prefixes(members.count)[member])layers.\(layer).bias"
  }

  fileprivate static func tensor(_ name: String, shape: [Int], in file: SafetensorsFile) throws -> [Float] {
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

extension CellAttention {
  fileprivate typealias Tensor = (name: String, shape: [Int], values: [Float])

  fileprivate var tensors: [Tensor] {
    [
      (name: Self.weightName, shape: [2 * width, dimension], values: gates.weights),
      (name: Self.biasName, shape: [2 * width], values: gates.biases),
      (name: Self.scoreName, shape: [width], values: scores),
    ]
  }

  private static let weightName = "attention.gates.weight"
  private static let biasName = "attention.gates.bias"
  private static let scoreName = "attention.scores"

  fileprivate init(dimension: Int, width: Int, file: SafetensorsFile) throws {
    self.init(
      gates: Head.Layer(
        inputs: dimension, outputs: 2 * width,
        weights: try Head.tensor(Self.weightName, shape: [2 * width, dimension], in: file),
        biases: try Head.tensor(Self.biasName, shape: [2 * width], in: file)),
      scores: try Head.tensor(Self.scoreName, shape: [width], in: file))
  }
}
