/// The names of SubCell: a ViT of Hugging Face with a pooling of its own behind it.
///
/// - Source: `vit_model.py` of CellProfiling/SubCellPortable. The layers of the gates carry the number 1, as
///   they stand behind a dropout in the training.
extension NamingScheme {
  static let subCell = subCell(huggingFaceViT)
  static let subCellInMemory = subCell(huggingFaceViTInMemory)

  private static func subCell(_ encoder: NamingScheme) -> NamingScheme {
    encoder.nested(
      in: "encoder.", as: .subCell,
      layers: [
        "pool.v": ["pool_model.attention_v.1"],
        "pool.u": ["pool_model.attention_u.1"],
        "pool.scores": ["pool_model.attention"],
      ],
      unused: ["classifier.", "classifiers."])
  }
}
