import Formats
import Randomness

extension VisionTransformer {
  /// Writes a model with random weights: the same seed and geometry give the same bytes on every machine.
  ///
  /// Weights are scaled by 1 / sqrt(inputs), so that every layer passes on the variance that layer norm gives
  /// it: distances between untrained embeddings follow distances between images, which is enough for tests,
  /// demonstrations and measurements of speed. It is not a trained model.
  ///
  /// - Parameter geometry: with learned positions and without attention pooling: DINO's or DINOv2's.
  /// - Parameter inputRoles: what each input is meant for, kept in the file's metadata.
  package static func writeSeeded(
    geometry: ViTGeometry, inputRoles: [String]? = nil, seed: UInt64, to path: String
  ) throws {
    precondition(geometry.width % geometry.heads == 0, "heads must divide the width")
    precondition(
      geometry.gridSize != nil && geometry.epsilon == 1e-6 && geometry.attentionPooling == nil,
      "seeded models are of DINO's kind")
    precondition(inputRoles.map { $0.count == geometry.inputChannels } ?? true, "one role an input")
    let tensors = geometry.tensors().enumerated().map { index, tensor in
      var generator = SeededGenerator(seed: seed, stream: UInt64(index))
      let (mean, deviation) = initialDistribution(of: tensor)
      let values = (0..<tensor.shape.reduce(1, *)).map { _ in
        deviation == 0 ? mean : mean + deviation * generator.roughlyNormal()
      }
      return (tensor.name, tensor.shape, values)
    }
    var metadata = ["num_heads": String(geometry.heads)]
    if let inputRoles { metadata["inputs"] = inputRoles.joined(separator: ",") }
    var file = try AtomicFile(path: path)
    try file.write(SafetensorsFile.encode(tensors: tensors, metadata: metadata))
    try file.commit()
  }

  private static func initialDistribution(of tensor: ViTGeometry.Tensor) -> (mean: Float, deviation: Float) {
    switch tensor.shape.count {
    // Tokens and positions.
    case 3: (0, 0.2)
    case 2...: (0, 1 / Float(tensor.shape.dropFirst().reduce(1, *)).squareRoot())
    default:
      tensor.name.hasSuffix("gamma")
        ? (0.5, 0.1) : tensor.name.contains("norm") && tensor.name.hasSuffix("weight") ? (1, 0) : (0, 0.02)
    }
  }
}

extension SeededGenerator {
  /// Mean 0, variance 1, within 3.47: the sum of four uniform 16-bit numbers, in integer arithmetic and thus
  /// equal on every machine.
  fileprivate mutating func roughlyNormal() -> Float {
    let bits = next()
    let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + bits >> 48
    // Four uniforms on 0...65535 have mean 131070 and variance 4 (65536^2 - 1) / 12.
    return (Float(sum) - 131_070) / 37_837.227
  }
}
