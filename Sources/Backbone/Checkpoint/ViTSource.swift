/// Whose file it is: what names its tensors have, and with them the arithmetic that no tensor tells.
enum ViTSource: Sendable {
  /// facebookresearch: DINO, DINOv2 and what was trained with their code.
  case authors
  /// facebookresearch: DINOv3.
  case authorsV3
  case timm
  case timmV3
  case huggingFaceViT
  case huggingFaceV2
  case huggingFaceV3
  case subCell

  /// Whether queries and keys are rotated by their position, instead of adding a position to the patches.
  var isRotary: Bool {
    switch self {
    case .authorsV3, .timmV3, .huggingFaceV3: true
    case .authors, .timm, .huggingFaceViT, .huggingFaceV2, .subCell: false
    }
  }

  /// What layer norm adds to a variance when no config.json says it. Converted DINO models run with the 1e-12
  /// of Hugging Face's ViT, though they were trained with 1e-6.
  var epsilon: Float {
    switch self {
    case .authors, .timm, .huggingFaceV2: 1e-6
    case .authorsV3, .timmV3, .huggingFaceV3: 1e-5
    case .huggingFaceViT, .subCell: 1e-12
    }
  }

  /// Side of the images that a rotary model is given when nobody says otherwise, pixels.
  var customaryImageSizePx: Int { self == .timmV3 ? 256 : 224 }

  func resampling(hasRegisters: Bool) -> PositionResampling {
    switch self {
    case .authors, .authorsV3: hasRegisters ? .antialiased : .offset
    case .timm, .timmV3: .antialiased
    case .huggingFaceViT, .huggingFaceV2, .huggingFaceV3, .subCell: hasRegisters ? .antialiased : .exact
    }
  }

  /// The `model_type` of the config.json that lies beside such files; empty where there is none of Hugging
  /// Face's.
  var modelTypes: [String] {
    switch self {
    case .authors, .authorsV3, .timm, .timmV3: []
    case .huggingFaceViT, .subCell: ["vit", "vit_mae", "vit_msn"]
    case .huggingFaceV2: ["dinov2", "dinov2_with_registers"]
    case .huggingFaceV3: ["dinov3_vit"]
    }
  }
}

/// A kind of model as people speak of it, and the images that it expects.
struct ViTFamily: Sendable {
  let name: String
  let normalization: InputNormalization?

  init(source: ViTSource, geometry: ViTGeometry, isOfTraining: Bool) {
    let inputs = geometry.inputChannels
    let registers = geometry.registerCount > 0 ? " with registers" : ""
    switch source {
    case .authors:
      let version = geometry.hasLayerScale ? "DINOv2\(registers)" : "DINO\(registers)"
      let peer =
        geometry.hasLayerScale ? inputs == 1 ? "channel-adaptive DINO" : "Cell-DINO" : "DINO4Cells"
      name = inputs == 3 ? version : "\(version), \(inputs == 1 ? "1 input" : "\(inputs) inputs"), as \(peer)"
      // A training on three fluorescent channels looks like one on photographs.
      normalization = inputs != 3 ? .eachChannel : isOfTraining ? nil : .imageNet
    case .authorsV3: (name, normalization) = ("DINOv3", inputs == 3 ? .imageNet : nil)
    case .timm:
      name = geometry.hasLayerScale ? "DINOv2\(registers) (timm)" : "DINO\(registers) (timm)"
      normalization = inputs == 3 ? .imageNet : nil
    case .timmV3: (name, normalization) = ("DINOv3 (timm)", inputs == 3 ? .imageNet : nil)
    // ViT is a home for models of many trainings; a preprocessor_config.json beside it tells.
    case .huggingFaceViT: (name, normalization) = ("ViT (Hugging Face)", nil)
    case .huggingFaceV2:
      (name, normalization) = ("DINOv2\(registers) (Hugging Face)", inputs == 3 ? .imageNet : nil)
    case .huggingFaceV3: (name, normalization) = ("DINOv3 (Hugging Face)", inputs == 3 ? .imageNet : nil)
    case .subCell: (name, normalization) = ("SubCell", .minMax)
    }
  }
}

/// How a model's training brought intensities to its inputs.
package enum InputNormalization: Sendable, Equatable {
  /// (x - mean) / deviation of each input, for x in 0...1; one of each an input.
  case fixed(mean: [Double], deviation: [Double])
  /// Mean 0 and deviation 1 in each channel of each image (DINO4Cells, Cell-DINO).
  case eachChannel
  /// The darkest pixel of all channels of an image to 0, the brightest to 1 (SubCell).
  case minMax

  /// - Source: torchvision's transforms for ImageNet, which DINO, DINOv2 and DINOv3 were trained with.
  package static let imageNet = InputNormalization.fixed(
    mean: InputScaling.imagenet.mean, deviation: InputScaling.imagenet.deviation)
}
