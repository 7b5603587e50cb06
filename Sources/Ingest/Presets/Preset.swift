package import Backbone
import Faults
package import Imaging

/// What is known of how a published family of models was fed, under one name: defaults of a recipe, each of which
/// an option overrides. A preset says where its values come from; what no source states is left to the model.
package struct Preset: Sendable, Equatable {
  package let name: String
  /// Where the values are stated, and what had to be decided.
  package let source: String
  package let normalization: Normalization
  package let normalizationScope: NormalizationScope
  package let strategy: StrategyKind
  /// Roles of the model's inputs in their order; nil where the model must say them, or has none.
  package var inputs: [String]?
  /// Side of the model's input; nil for the size that the model was trained on.
  package var inputSizePx: Int?
  package var zeroBackground = false
  /// Which tokens make the vector; nil for what the model says.
  package var pooling: Pooling?

  /// The preset of this name.
  /// - Parameter hpaNucleus: the input of the nucleus in models of the Human Protein Atlas; nil for the default.
  /// - Throws: `missingInput` for an unknown name, `usage` for a nucleus where the preset has no choice of it.
  package static func named(_ name: String, hpaNucleus: Int? = nil) throws -> Preset {
    if let hpaNucleus, !hpaNucleusChoices.contains(hpaNucleus) {
      throw Fault(
        .usage, "--hpa-nucleus", expected: hpaNucleusChoices.map(String.init).joined(separator: " or "),
        found: "\(hpaNucleus)")
    }
    guard let preset = all(hpaNucleus: hpaNucleus ?? defaultHPANucleus).first(where: { $0.name == name })
    else { throw Fault.unknownName(.missingInput, "preset", name, among: all().map(\.name)) }
    if hpaNucleus != nil, !hpaNames.contains(name) {
      throw Fault(
        .usage, "--hpa-nucleus", expected: "--preset \(hpaNames.joined(separator: " or "))", found: name)
    }
    return preset
  }
}
