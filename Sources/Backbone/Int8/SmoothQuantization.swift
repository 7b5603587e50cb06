import Glibc

/// What calibration found for the products of a model's blocks.
struct SmoothQuantization {
  /// [blocks, inputs].
  private let calibrations: [[Linear.Calibration]]

  /// - Parameter statistics: [blocks, inputs], of the float32 model.
  init(_ checkpoint: ViTCheckpoint, statistics: [[ActivationStatistics]]) throws {
    calibrations = try statistics.enumerated().map { number, inputs in
      try ProductInput.allCases.map { input in
        let found = inputs[input.rawValue]
        let weights = try checkpoint.largestWeights(ofInputsTo: input, block: number)
        let factors = zip(found.largest, weights).map(Self.factor)
        return Linear.Calibration(
          inputFactors: factors, inputMeans: zip(found.means, factors).map { $0 / $1 })
      }
    }
  }

  /// Shares out the range of an input between activations and weights: both get its geometric mean. Factors are
  /// powers of the eighth root of two, so that they are the same where instruction sets differ in the last bits of
  /// statistics.
  private static func factor(activation: Float, weight: Float) -> Float {
    exp2((log2(max(activation, 1e-5) / max(weight, 1e-5)) * 4).rounded() / 8)
  }

  func block(_ number: Int) -> Block { Block(inputs: calibrations[number]) }

  /// Of one block.
  struct Block {
    fileprivate let inputs: [Linear.Calibration]

    /// Of the products that take an input; with what the product of the hidden units does to its results.
    func product(of input: ProductInput, mlp: ViTGeometry.MLPKind) -> Linear.Calibration {
      var calibration = inputs[input.rawValue]
      if input == .mlp, mlp == .gelu { calibration.resultFactors = inverses(of: .hidden) }
      return calibration
    }

    /// What an input is multiplied with where it is made.
    func inverses(of input: ProductInput) -> [Float] { inputs[input.rawValue].inputFactors.map { 1 / $0 } }
  }
}

extension ViTCheckpoint {
  /// The largest absolute weight of each input of the products that take it.
  fileprivate func largestWeights(ofInputsTo input: ProductInput, block: Int) throws -> [Float] {
    let prefix = "blocks.\(block)."
    let mlp = geometry.mlp.tensorNames
    let (name, scale): (String, String?) =
      switch input {
      case .attention: ("attn.qkv", nil)
      case .context: ("attn.proj", "ls1.gamma")
      case .mlp: (mlp.first, nil)
      case .hidden: (mlp.last, "ls2.gamma")
      }
    let weights = try floats(prefix + name + ".weight")
    let width = input == .hidden ? geometry.mlpWidth : geometry.width
    let scales = try scale.flatMap { geometry.hasLayerScale ? try floats(prefix + $0) : nil }
    var largest = [Float](repeating: 0, count: width)
    for output in 0..<weights.count / width {
      let factor = scales?[output] ?? 1
      for index in 0..<width {
        largest[index] = max(largest[index], abs(weights[output * width + index] * factor))
      }
    }
    return largest
  }
}
