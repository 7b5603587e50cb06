import Faults
import Formats
import FoundationEssentials
import Identity

/// What the registry says of a model without reading its weights.
package struct ModelEntry: Sendable, Equatable, Codable {
  package let name: String
  /// Whose model it is: "DINOv2 with registers (timm)".
  package let family: String
  /// The model's kind by its extents, such as "ViT-S/16".
  package let architecture: String
  /// Inputs of the model.
  package let inputCount: Int
  /// What each input is meant for; nil when nothing says so.
  package let inputs: [String]?
  package let parameters: Int
  /// Size of the file of weights.
  package let byteCount: Int
  /// Digest of the weights, as spaces keep it.
  package let hash: String
  /// The preset that goes with the model.
  package let preset: String?
  /// The model's place in a file of several; nil for the usual one.
  package let branch: String?
  /// The file that the model was copied from; nil for the model that comes with the program.
  package let origin: String?

  init(_ model: VisionTransformer, byteCount: Int, preset: String?, origin: String?) {
    name = model.name
    family = model.familyName
    architecture = model.geometry.architecture
    inputCount = model.geometry.inputChannels
    inputs = model.inputRoles
    parameters = model.geometry.parameterCount
    self.byteCount = byteCount
    hash = model.hash.description
    self.preset = preset
    branch = model.branches.unusual
    self.origin = origin
  }

  /// Reads the entry that a model's folder keeps.
  init(path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Fault(.inputOutput, path, "cannot be read", remedy: "check the permissions of the file")
    }
    do {
      self = try JSONDecoder().decode(ModelEntry.self, from: data)
    } catch {
      throw Fault(
        .badData, path, "is not what this version of cellvec writes of a model",
        remedy: "remove the model's folder and add the model again")
    }
  }
}

extension ViTGeometry {
  /// "ViT-S/16" for the sizes that have a letter, else "ViT-96x4/8": width, depth and patch.
  package var architecture: String {
    let letter: String? =
      switch (width, depth) {
      case (192, 12): "Ti"
      case (384, 12): "S"
      case (768, 12): "B"
      case (1024, 24): "L"
      case (1280, 32): "H"
      case (1536, 40): "g"
      default: nil
      }
    return "ViT-\(letter ?? "\(width)x\(depth)")/\(patchSize)"
  }
}
