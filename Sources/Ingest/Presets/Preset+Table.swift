import Backbone
import Imaging

extension Preset {
  /// Inputs that the nucleus may have in DINO4Cells' models of the Human Protein Atlas.
  static let hpaNucleusChoices = [0, 2]

  /// Sources conflict. Comments of DINO4Cells' configurations say 0 nucleus, 1 protein, 2 microtubules, 3 ER, and
  /// the Lundberg laboratory's HPA_DINO feeds (nucleus, protein, 0, 0): two against DINO4Cells' own loaders, whose
  /// order is red, green, blue, yellow = microtubules, protein, nucleus, ER. All agree on protein and ER.
  package static let defaultHPANucleus = 0

  static let hpaNames = ["hpa-fov-dino4cells", "hpa-cell-dino4cells"]

  private static func hpaInputs(nucleus: Int) -> [String] {
    nucleus == 0
      ? ["nucleus", "protein", "microtubules", "er"] : ["microtubules", "protein", "nucleus", "er"]
  }

  /// Every preset, in the order in which they are listed.
  package static func all(hpaNucleus: Int = defaultHPANucleus) -> [Preset] {
    [
      Preset(
        name: "cellvec", source: "the models of cellvec's own training; see cellvec models card",
        normalization: .selfStandardize, normalizationScope: .crop, strategy: .map),
      Preset(
        name: "imagenet-dino",
        source: """
          Intensities and size: evaluation of facebookresearch/dino (values of 0 to 1, ImageNet mean and SD, 224 px). \
          One pass a channel, concatenated: DINO4Cells' ImageNet baseline, single_channel_loader(triple=True). \
          Crops are resized by a bilinear filter here, bicubic there
          """,
        normalization: .imagenet, normalizationScope: .crop, strategy: .replicate, inputSizePx: 224,
        pooling: .classToken),
      Preset(
        name: "hpa-fov-dino4cells",
        source: """
          DINO4Cells run_get_features.py: self_normalize of each image and channel, no crop, no resize; fields of \
          512 px. Inputs: protein 1 and er 3 are agreed; nucleus 0 (default) by comments of its configurations and \
          by HPA_DINO, 2 by the colours of its loaders: see --hpa-nucleus. Zeros for absent inputs: channels 0, 2 and \
          3 were dropped in training (remove_channel)
          """,
        normalization: .selfStandardize, normalizationScope: .image, strategy: .map,
        inputs: hpaInputs(nucleus: hpaNucleus), inputSizePx: 512, pooling: .classToken),
      Preset(
        name: "hpa-cell-dino4cells",
        source: """
          DINO4Cells: fixed_size_masked_single_cells, background 0, then self_normalize over the whole square. Inputs \
          as in hpa-fov-dino4cells
          """,
        normalization: .selfStandardize, normalizationScope: .square, strategy: .map,
        inputs: hpaInputs(nucleus: hpaNucleus), zeroBackground: true, pooling: .classToken),
      Preset(
        name: "opencell",
        source: """
          Channels in the order of OpenCell's TIFF files: 0 Hoechst, 1 tagged protein (opencell/imaging). No public \
          source states intensities for a model trained on OpenCell: those of DINO4Cells' fields are assumed
          """,
        normalization: .selfStandardize, normalizationScope: .image, strategy: .map,
        inputs: ["nucleus", "protein"], pooling: .classToken),
      Preset(
        name: "subcell",
        source: """
          SubCellPortable: (x - min) / (max - min + 1e-6) over all channels of a crop of 448 px; inputs microtubules, \
          er, nucleus, protein; gated attention pooling
          """,
        normalization: .jointMinmax, normalizationScope: .square, strategy: .map,
        inputs: ["microtubules", "er", "nucleus", "protein"], inputSizePx: 448, pooling: .attention),
      Preset(
        name: "dinov2",
        source: """
          facebookresearch/dinov2: values of 0 to 1, ImageNet mean and SD, size of training (518 px). One pass a \
          channel as in imagenet-dino
          """,
        normalization: .imagenet, normalizationScope: .crop, strategy: .replicate, pooling: .classToken),
      Preset(
        name: "dinov3",
        source: """
          facebookresearch/dinov3: ImageNet mean and SD, class token (timm's models average patches instead); 256 px \
          as timm's configurations have it. One pass a channel as in imagenet-dino
          """,
        normalization: .imagenet, normalizationScope: .crop, strategy: .replicate, inputSizePx: 256,
        pooling: .classToken),
      Preset(
        name: "cell-dino",
        source: """
          dinov2/eval/cell_dino: square with zeros around smaller images, then self-normalisation of each channel over \
          all of it. The order of inputs is not stated: name them with --map, or with --inputs of cellvec models add
          """,
        normalization: .selfStandardize, normalizationScope: .square, strategy: .map, pooling: .classToken),
    ]
  }
}
