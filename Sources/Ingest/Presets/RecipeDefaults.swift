package import Backbone
import Faults
package import Imaging

/// What a recipe is where no option says otherwise: the preset's word goes before the model's, the model's before
/// cellvec's own.
package struct RecipeDefaults: Sendable, Equatable {
  package let crop: CropRecipe
  /// Mean and deviation that the model's files tell of each of its inputs.
  package let scaling: InputScaling?
  package let strategy: StrategyKind
  package let pooling: Pooling
  package let rotations: Rotations
  /// Roles of the model's inputs by the model, else by the preset, which may be meant for another number of them.
  package let inputs: [String]?

  /// - Throws: `badData` when the model's metadata name no rule.
  package init(for model: VisionTransformer, preset: Preset?) throws {
    let trained = model.trainingInput
    var crop = CropRecipe(
      cropSizePx: nil,
      outputSizePx: preset?.inputSizePx ?? trained.imageSizePx ?? model.defaultImageSizePx)
    if let preset {
      crop.normalization = preset.normalization
      crop.normalizationScope = preset.normalizationScope
      crop.zeroBackground = preset.zeroBackground
    } else if let word = trained.normalization {
      crop.normalization = try RecipeDefaults.value(of: word, "normalization", model)
    } else if let expected = model.expectedNormalization {
      crop.normalization = expected.rule
    }
    self.crop = crop
    scaling =
      if case .fixed(let mean, let deviation) = model.expectedNormalization {
        InputScaling(mean: mean, deviation: deviation)
      } else {
        nil
      }
    strategy = preset?.strategy ?? .map
    pooling =
      try preset?.pooling ?? trained.pooling.map { try RecipeDefaults.value(of: $0, "pooling", model) }
      ?? model.defaultPooling
    rotations = try trained.rotations.map { try RecipeDefaults.value(of: $0, "rotations", model) } ?? .one
    // A file that names its inputs knows them best.
    inputs = model.inputRoles ?? preset?.inputs
  }

  /// The value that a model's metadata name by its word.
  private static func value<Value: RawRepresentable & CaseIterable>(
    of word: Value.RawValue, _ key: String, _ model: VisionTransformer
  ) throws -> Value {
    guard let value = Value(rawValue: word) else {
      throw Fault(
        .badData, "model \(model.name): metadata \(key)",
        expected: "one of \(Value.allCases.map { "\($0.rawValue)" }.joined(separator: ", "))",
        found: "\(word)",
        remedy: "use a newer cellvec, or name what comes nearest with --preset")
    }
    return value
  }
}

extension InputNormalization {
  /// The rule for images of cells. Cells are no photographs, and fill a small part of a camera's range: what
  /// expects ImageNet's mean and deviation has them as mean 0 and SD 1, unless a preset or an option says otherwise.
  /// Other numbers may be those of a training on cells, and are used as they are.
  fileprivate var rule: Normalization {
    switch self {
    case .eachChannel, .imageNet: .selfStandardize
    case .fixed: .fixed
    case .minMax: .jointMinmax
    }
  }
}
