package import Backbone
import Faults
import Imaging

extension Preset {
  /// Looks whether a model can be fed as this preset says.
  ///
  /// A model that names its inputs may have fewer of them than the preset; they must be among the preset's,
  /// unless there are as many.
  /// - Throws: `usage` that says what the preset is for, and what the model is.
  package func check(fits model: VisionTransformer) throws {
    let count = model.geometry.inputChannels
    func misfit(expected: String, found: String, remedy: String = "") -> Fault {
      Fault(
        .usage, "--preset \(name)", expected: expected, found: "\(found) of model \(model.name)",
        remedy: remedy.isEmpty ? "leave it out, or take another: cellvec models presets lists them" : remedy)
    }
    if let inputs, inputs.count != count, !(model.inputRoles ?? [""]).allSatisfy(inputs.contains) {
      let roles = model.inputRoles.map { " (\($0.joined(separator: ", ")))" } ?? ""
      throw misfit(
        expected: "\(inputs.count) inputs (\(inputs.joined(separator: ", ")))", found: "\(count)\(roles)",
        remedy: "leave it out, or say which of these the inputs are with --inputs")
    }
    if normalization == .imagenet, count != 3 {
      throw misfit(expected: "3 inputs, which are red, green and blue", found: "\(count)")
    }
    if let pooling, !model.poolings.contains(pooling) {
      let words = model.poolings.map(\.rawValue).joined(separator: ", ")
      throw misfit(expected: "weights for pooling \(pooling.rawValue)", found: "those for \(words)")
    }
    let patch = model.geometry.patchSize
    if let inputSizePx, !inputSizePx.isMultiple(of: patch) {
      throw misfit(
        expected: "patches that fill its images of \(inputSizePx) x \(inputSizePx) px",
        found: "those of \(patch) px")
    }
  }
}
