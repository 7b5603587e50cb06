/// What is known of a head after an epoch.
package struct EpochScore: Sendable, Equatable, Codable {
  /// Mean loss over the epoch's samples and classes, each before the step that learned from it.
  package let loss: Double
  /// Macro F1 at a threshold of 0.5 on the validation samples, over the classes that have positives among them; nil
  /// without validation samples.
  package let validationMacroF1: Double?
}
