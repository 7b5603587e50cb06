import Faults
import Formats

extension NamingScheme {
  /// All schemes; of several that fit equally well, the first is meant.
  private static let all = [
    authors, authorsV3, timm, timmV3, huggingFaceViT, huggingFaceViTInMemory, huggingFaceV2,
    huggingFaceV2InMemory,
    huggingFaceV3, subCell, subCellInMemory, subCellPortable, subCellPortableInMemory,
  ]

  /// The scheme that explains the most names of a file.
  ///
  /// - Throws: `badData` when it explains fewer than half of them, as it is in a file of something else.
  static func best(
    for names: TensorNames, of file: any TensorFile, configuration: ModelConfiguration?
  ) throws -> NamingScheme {
    let counts = all.map { $0.explained(names.patterns) }
    guard let most = counts.max(), most > 0, 2 * most >= names.patterns.count,
      let index = counts.firstIndex(of: most)
    else {
      let shown = names.stored.values.sorted().prefix(4).joined(separator: ", ")
      throw Fault(
        .badData, file.name, expected: "the tensors of a vision transformer",
        found: shown.isEmpty ? "none" : "\(shown)\(names.stored.count > 4 ? ", ..." : "")",
        remedy: ViTCheckpoint.remedy)
    }
    let scheme = all[index]
    guard scheme.source == .authors || scheme.source == .timm else { return scheme }
    if isGatedByTimm(names, file) { return timmGated }
    return scheme.source == .timm || isOfTimm(names, configuration) ? timm : scheme
  }

  /// Whether the first layer of the MLP has twice the units that the last one takes: SwiGLU under timm's
  /// names.
  private static func isGatedByTimm(_ names: TensorNames, _ file: any TensorFile) -> Bool {
    func shape(_ name: String) -> [Int] { names.stored[name].flatMap(file.shape(of:)) ?? [] }
    let (first, last) = (shape("blocks.0.mlp.fc1.weight"), shape("blocks.0.mlp.fc2.weight"))
    return first.count == 2 && last.count == 2 && last[1] > 0 && first[0] == 2 * last[1]
  }

  /// Whether tensors that the authors would call the same come from timm: its configuration says so; and it
  /// drops the mask token, which every file of DINOv2's authors has.
  private static func isOfTimm(_ names: TensorNames, _ configuration: ModelConfiguration?) -> Bool {
    if let configuration, configuration.isOfTimm { return true }
    return names.patterns.contains("blocks.#.ls1.gamma") && !names.patterns.contains("mask_token")
      && !names.patterns.contains("register_tokens") && !names.areChunked
  }
}
