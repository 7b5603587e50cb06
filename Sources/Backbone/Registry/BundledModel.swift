import BundledBackbone
import Formats

/// The backbone that is part of the program.
package enum BundledModel {
  package static var name: String { String(cString: bundled_backbone_name()) }

  /// What the model is, was trained on and is good for: Markdown.
  package static var card: String { String(cString: bundled_backbone_card()) }

  /// Its file of weights, read where it lies in the program.
  static func file() throws -> SafetensorsFile {
    try SafetensorsFile(
      constant: UnsafeRawBufferPointer(
        start: bundled_backbone_bytes(), count: bundled_backbone_byte_count()), name: name)
  }

  package static func load(precision: Precision = .float32, cache: WeightsCache? = nil) throws
    -> VisionTransformer
  {
    try VisionTransformer(file: file(), name: name, precision: precision, cache: cache)
  }
}
