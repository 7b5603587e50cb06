/// The extents and kinds of a vision transformer, which follow from the names and shapes of its tensors; but
/// for the number of heads, which no shape tells when heads are not 64 wide, and the epsilon of its layer
/// norms.
package struct ViTGeometry: Sendable, Equatable, Codable {
  /// How a block's MLP joins its hidden units.
  package enum MLPKind: String, Sendable, Codable {
    case gelu
    /// Half of them gate the other half: silu(w1 x) * (w2 x).
    case swiglu
  }

  /// Which of queries, keys and values have a learned bias; the others have none.
  package enum AttentionBias: String, Sendable, Codable {
    case all
    case queryAndValue
    case none
  }

  /// Gated attention over tokens, behind the last block (SubCell).
  package struct AttentionPooling: Sendable, Equatable, Codable {
    /// Weighted means of the tokens, joined to one embedding.
    package let heads: Int
    /// Hidden units of each of its two gates.
    package let hiddenWidth: Int
  }

  /// Components of a token.
  package let width: Int
  /// Number of blocks.
  package let depth: Int
  /// Attention heads a block; each is width / heads wide.
  package let heads: Int
  /// Side of a patch, pixels.
  package let patchSize: Int
  package let inputChannels: Int
  /// Side of the square grid of patches that the stored positional embedding is for; nil for models that
  /// rotate queries and keys instead (DINOv3), which know no such size.
  package let gridSize: Int?
  /// Units of a block's MLP that reach its last layer.
  package let mlpWidth: Int
  package let mlp: MLPKind
  package let attentionBias: AttentionBias
  /// Whether residual branches are scaled by a learned vector (DINOv2, DINOv3).
  package let hasLayerScale: Bool
  /// Extra tokens behind the class token; 0 for most.
  package let registerCount: Int
  /// Whether the class token has a position of its own. It has none with rotary positions, nor in timm's
  /// models with registers, where it is added to the token already.
  package let classHasPosition: Bool
  /// What layer norm adds to a variance.
  package let epsilon: Float
  package let attentionPooling: AttentionPooling?

  package init(
    width: Int, depth: Int, heads: Int, patchSize: Int, inputChannels: Int, gridSize: Int?, mlpWidth: Int,
    mlp: MLPKind = .gelu, attentionBias: AttentionBias = .all, hasLayerScale: Bool = false,
    registerCount: Int = 0, classHasPosition: Bool = true, epsilon: Float = 1e-6,
    attentionPooling: AttentionPooling? = nil
  ) {
    self.width = width
    self.depth = depth
    self.heads = heads
    self.patchSize = patchSize
    self.inputChannels = inputChannels
    self.gridSize = gridSize
    self.mlpWidth = mlpWidth
    self.mlp = mlp
    self.attentionBias = attentionBias
    self.hasLayerScale = hasLayerScale
    self.registerCount = registerCount
    self.classHasPosition = classHasPosition && gridSize != nil
    self.epsilon = epsilon
    self.attentionPooling = attentionPooling
  }

  /// Where tokens learn the place of their patch.
  package enum PositionKind: String, Sendable, Codable {
    /// From a table that is added to the patches, and resampled for images of another size.
    case learned
    /// From the rotation of queries and keys, for images of any size.
    case rotary
  }

  package var positions: PositionKind { gridSize == nil ? .rotary : .learned }

  /// Side of the images that the positions were learned on, pixels; nil where none are learned.
  package var trainedImageSizePx: Int? { gridSize.map { $0 * patchSize } }

  /// Values of one patch over all inputs.
  var patchValueCount: Int { inputChannels * patchSize * patchSize }

  var headWidth: Int { width / heads }

  /// Tokens before those of the patches: the class token and the registers.
  var leadingTokenCount: Int { 1 + registerCount }

  /// Units that the first layer of an MLP computes.
  var hiddenUnitCount: Int { mlp == .swiglu ? 2 * mlpWidth : mlpWidth }
}
