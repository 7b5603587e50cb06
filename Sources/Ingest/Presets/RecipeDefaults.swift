package import Backbone
import Faults
package import Imaging

/// What a recipe is where no option says otherwise: the preset's word goes before the model's, the model's before
/// cellvec's own.
package struct RecipeDefaults: Sendable, Equatable {
  package let crop: CropRecipe
  package let strategy: StrategyKind
  /// Roles of the model's inputs by the model, else by the preset, which may be meant for another number of them.
  package let inputs: [String]?

  /// - Throws: `badData` when the model's metadata name no rule.
  package init(for model: VisionTransformer, preset: Preset?) throws {
    let geometry = model.geometry
    let trained = model.trainingInput
    var crop = CropRecipe(
      cropSizePx: nil,
      outputSizePx: preset?.inputSizePx ?? trained.imageSizePx ?? geometry.gridSize * geometry.patchSize)
    if let preset {
      crop.normalization = preset.normalization
      crop.normalizationScope = preset.normalizationScope
      crop.zeroBackground = preset.zeroBackground
    } else if let word = trained.normalization {
      guard let rule = Normalization(rawValue: word) else {
        throw Fault(
          .badData, "model \(model.name): metadata normalization",
          expected: "one of \(Normalization.allCases.map(\.rawValue).joined(separator: ", "))", found: word,
          remedy: "use a newer cellvec, or name what comes nearest with --preset")
      }
      crop.normalization = rule
    }
    self.crop = crop
    strategy = preset?.strategy ?? .map
    // A file that names its inputs knows them best.
    inputs = model.inputRoles ?? preset?.inputs
  }
}
