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

  /// - Parameter told: what options say, so that it does not matter what the model's metadata say of it.
  /// - Throws: `badData` when the model's metadata name no rule, or are of no use otherwise, and nothing goes
  ///   before them.
  package init(for model: VisionTransformer, preset: Preset?, told: Set<TrainingFact> = []) throws {
    let trained = model.trainingInput
    let size =
      try preset?.inputSizePx ?? RecipeDefaults.fact(.imageSize, trained.imageSizePx, of: trained, told)
    var crop = CropRecipe(cropSizePx: nil, outputSizePx: size ?? model.defaultImageSizePx)
    if let preset {
      crop.normalization = preset.normalization
      crop.normalizationScope = preset.normalizationScope
      crop.zeroBackground = preset.zeroBackground
    } else if let word = try RecipeDefaults.fact(.normalization, trained.normalization, of: trained, told) {
      crop.normalization = try RecipeDefaults.value(of: word, .normalization, model)
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
    pooling = try RecipeDefaults.pooling(of: model, preset: preset, told: told)
    rotations = try RecipeDefaults.fact(.rotations, trained.rotations, of: trained, told) ?? .one
    // A file that names its inputs knows them best.
    inputs = model.inputRoles ?? preset?.inputs
  }

  /// Which tokens make the vector where no option says it; as the recipe has it.
  package static func pooling(
    of model: VisionTransformer, preset: Preset? = nil, told: Set<TrainingFact> = []
  ) throws -> Pooling {
    if let pooling = preset?.pooling { return pooling }
    let input = model.trainingInput
    guard let word = try fact(.pooling, input.pooling, of: input, told) else { return model.defaultPooling }
    return try value(of: word, .pooling, model)
  }

  /// What the metadata say of something; nil where an option says it, too.
  private static func fact<Value>(
    _ fact: TrainingFact, _ value: Value?, of input: TrainingInput, _ told: Set<TrainingFact>
  ) throws -> Value? {
    guard !told.contains(fact) else { return nil }
    try input.check(fact)
    return value
  }

  /// The value that a model's metadata name by its word.
  private static func value<Value: RawRepresentable<String> & CaseIterable>(
    of word: String, _ fact: TrainingFact, _ model: VisionTransformer
  ) throws -> Value {
    guard let value = Value(rawValue: word) else {
      let words = Value.allCases.map(\.rawValue).joined(separator: ", ")
      throw fact.fault("model \(model.name)", expected: "one of \(words)", found: word)
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
