/// The names of SubCell: a ViT of Hugging Face with a pooling of its own behind it.
///
/// - Source: `vit_model.py` of CellProfiling/SubCellPortable. The layers of the gates carry the number 1 in the published
///   files, as they stand behind a dropout in the training; that program's own model has them without, as 0.
extension NamingScheme {
  static let subCell = subCell(huggingFaceViT, gate: 1)
  static let subCellInMemory = subCell(huggingFaceViTInMemory, gate: 1)
  static let subCellPortable = subCell(huggingFaceViT, gate: 0)
  static let subCellPortableInMemory = subCell(huggingFaceViTInMemory, gate: 0)

  private static func subCell(_ encoder: NamingScheme, gate: Int) -> NamingScheme {
    encoder.nested(
      in: "encoder.", as: .subCell,
      layers: [
        "pool.v": ["pool_model.attention_v.\(gate)"],
        "pool.u": ["pool_model.attention_u.\(gate)"],
        "pool.scores": ["pool_model.attention"],
      ],
      unused: ["classifier.", "classifiers."])
  }
}
