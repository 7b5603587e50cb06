import Faults

/// Which tokens become the embedding, after the last layer norm. Vectors of different poolings are not
/// comparable.
///
/// JSON: `"class"`, `"mean"`, `"class-mean"` or `"attention"`.
package enum Pooling: String, Sendable, Codable, CaseIterable {
  /// The class token, which DINO trains to stand for the image.
  case classToken = "class"
  /// The mean of the patches' tokens, without class token and registers.
  case meanOfPatches = "mean"
  /// The class token, then the mean of the patches.
  case classAndMean = "class-mean"
  /// Means of all tokens under learned weights, one behind the other; only for models that bring the weights.
  ///
  /// - Source: SubCellPortable's `vit_model.py`, `GatedAttentionPooler`: softmax over tokens of
  ///   W (tanh(V x) * gelu(U x)), which differs from Ilse et al. 2018 in the gelu.
  case attention
}

extension ViTGeometry {
  var defaultPooling: Pooling { attentionPooling == nil ? .classToken : .attention }

  func dimension(for pooling: Pooling) -> Int {
    switch pooling {
    case .classToken, .meanOfPatches: width
    case .classAndMean: 2 * width
    case .attention: (attentionPooling?.heads ?? 0) * width
    }
  }
}

extension VisionTransformer {
  /// The poolings that this model can do.
  package var poolings: [Pooling] {
    Pooling.allCases.filter { $0 != .attention || geometry.attentionPooling != nil }
  }

  /// How the model's authors take its embedding.
  package var defaultPooling: Pooling { geometry.defaultPooling }

  /// Components of an embedding.
  package func dimension(for pooling: Pooling) -> Int { geometry.dimension(for: pooling) }

  /// - Throws: `usage` when the model has no weights for it.
  package func check(_ pooling: Pooling) throws {
    guard poolings.contains(pooling) else {
      throw Fault(
        .usage, "--pooling",
        expected: "\(poolings.map(\.rawValue).joined(separator: ", ")) for model \(name)",
        found: pooling.rawValue)
    }
  }
}
