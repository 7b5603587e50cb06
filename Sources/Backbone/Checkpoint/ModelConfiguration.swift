import Faults
import FoundationEssentials

/// What the JSON files beside a file of weights say: the config.json of Hugging Face transformers or of timm,
/// and the preprocessor_config.json of the former.
///
/// Everything in them is optional. What tensors tell too must agree with them; what they do not tell, such as
/// the epsilon, is taken from here.
struct ModelConfiguration: Sendable {
  let path: String
  private let fields: Fields
  private var preprocessing: Preprocessing?
  /// Where that is from.
  private var preprocessingPath = ""

  /// The configuration in the folder of a file of weights; nil when there is none, or none of a transformer.
  ///
  /// - Throws: `badData` when it is not JSON or a field is not of its type, `inputOutput` when it cannot be
  ///   read.
  init?(besideWeights path: String) throws {
    guard let file = try Self.file("config.json", besideWeights: path) else { return nil }
    try self.init(file.data, path: file.path)
    if modelType != nil, let file = try Self.file("preprocessor_config.json", besideWeights: path) {
      preprocessingPath = file.path
      preprocessing = try Self.decoded(Preprocessing.self, file.data, path: file.path)
    }
  }

  init?(_ data: Data, path: String) throws {
    fields = try Self.decoded(Fields.self, data, path: path)
    guard fields.areOfTransformer else { return nil }
    self.path = path
  }

  /// A file in the folder of another; nil when it is not there.
  private static func file(_ name: String, besideWeights path: String) throws -> (path: String, data: Data)? {
    let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    let file = (folder + [name[...]]).joined(separator: "/")
    guard FileManager.default.fileExists(atPath: file) else { return nil }
    guard let data = FileManager.default.contents(atPath: file) else {
      throw Fault(.inputOutput, file, "cannot be read", remedy: "check its permissions, or remove it")
    }
    return (file, data)
  }

  private static func decoded<Value: Decodable>(_ type: Value.Type, _ data: Data, path: String) throws
    -> Value
  {
    do {
      return try JSONDecoder().decode(type, from: data)
    } catch {
      throw Fault(
        .badData, path, "is not the configuration of a model: \(reason(of: error))",
        remedy: "fetch it again with the weights, or remove it")
    }
  }

  private static func reason(of error: any Error) -> String {
    guard let error = error as? DecodingError else { return "it cannot be read" }
    switch error {
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      return "\(context.codingPath.map(\.stringValue).joined(separator: ".")) is no \(type)"
    default: return "it is not JSON"
    }
  }
}

extension ModelConfiguration {
  /// Whether timm wrote it.
  var isOfTimm: Bool { fields.isOfTimm }

  var modelType: String? { fields.modelType }
  var heads: Int? { fields.heads }
  var epsilon: Double? { fields.epsilon }
  /// Base of the periods of rotary positions.
  var ropeTheta: Double? { fields.ropeTheta }

  /// Side of the images of the training, pixels.
  var imageSizePx: Int? { fields.imageSize?.only ?? fields.pretrained?.inputSize?.last }

  /// Mean and deviation of each input; nil when they are not of that many, or not applied.
  /// - Throws: `badData` for a deviation that is not positive, or a number beyond single precision.
  func normalization(inputs: Int) throws -> InputNormalization? {
    guard let mean = fields.pretrained?.mean ?? preprocessing?.mean,
      let deviation = fields.pretrained?.deviation ?? preprocessing?.deviation,
      mean.count == inputs, deviation.count == inputs, preprocessing?.isApplied ?? true
    else { return nil }
    guard InputScaling(mean: mean, deviation: deviation).isUsable else {
      throw Fault(
        .badData, fields.pretrained?.deviation == nil ? preprocessingPath : path,
        expected: "a mean and a positive SD of each input", found: "\(mean) and \(deviation)",
        remedy: "fetch it again with the weights, or remove it")
    }
    return .fixed(mean: mean, deviation: deviation)
  }

  /// Compares what both tell.
  ///
  /// - Throws: `badData` for the first contradiction.
  func check(against geometry: ViTGeometry, weights: String) throws {
    let size = geometry.gridSize.map { $0 * geometry.patchSize }
    let numbers: [(name: String, said: Int?, found: Int?)] = [
      ("hidden_size", fields.width ?? fields.featureCount, geometry.width),
      ("num_hidden_layers", fields.depth, geometry.depth),
      ("patch_size", fields.patchSize?.only, geometry.patchSize),
      ("num_channels", fields.inputChannels, geometry.inputChannels),
      ("num_register_tokens", fields.registerCount, geometry.registerCount),
      ("intermediate_size", fields.mlpWidth, geometry.mlpWidth),
      // Rows and columns that fill no patch have no position.
      ("image_size", size == nil ? nil : fields.imageSize?.only.map { $0 - $0 % geometry.patchSize }, size),
    ]
    for (name, said, found) in numbers {
      guard let said, let found, said != found else { continue }
      throw contradiction(name, expected: "\(found), as in the tensors of \(weights)", found: "\(said)")
    }
    // The SwiGLU of Hugging Face's DINOv2 ignores this field, which is "gelu" there.
    let activation = geometry.mlp == .gelu ? "gelu" : "silu"
    if let said = fields.activation, said != activation, modelType != "dinov2",
      modelType != "dinov2_with_registers"
    {
      throw contradiction("hidden_act", expected: activation, found: said)
    }
  }

  func contradiction(_ field: String, expected: String, found: String) -> Fault {
    Fault(
      .badData, "\(path): \(field)", expected: expected, found: found,
      remedy: "put the model's own config.json beside its weights, or remove this one")
  }
}

/// The fields that are looked at.
private struct Fields: Decodable, Sendable {
  let modelType: String?
  let architecture: String?
  let width: Int?
  let featureCount: Int?
  let depth: Int?
  let heads: Int?
  let inputChannels: Int?
  let registerCount: Int?
  let mlpWidth: Int?
  let patchSize: Extent?
  let imageSize: Extent?
  let epsilon: Double?
  let ropeTheta: Double?
  let activation: String?
  let pretrained: Pretrained?

  enum CodingKeys: String, CodingKey {
    case modelType = "model_type"
    case architecture
    case width = "hidden_size"
    case featureCount = "num_features"
    case depth = "num_hidden_layers"
    case heads = "num_attention_heads"
    case inputChannels = "num_channels"
    case registerCount = "num_register_tokens"
    case mlpWidth = "intermediate_size"
    case patchSize = "patch_size"
    case imageSize = "image_size"
    case epsilon = "layer_norm_eps"
    case ropeTheta = "rope_theta"
    case activation = "hidden_act"
    case pretrained = "pretrained_cfg"
  }

  struct Pretrained: Decodable, Sendable {
    /// Channels, rows, columns.
    let inputSize: [Int]?
    let mean: [Double]?
    let deviation: [Double]?

    enum CodingKeys: String, CodingKey {
      case inputSize = "input_size"
      case mean
      case deviation = "std"
    }
  }

  /// timm's other models are told by a configuration of the same fields.
  var isOfTimm: Bool { architecture?.hasPrefix("vit_") ?? false }

  /// Whether it is about a transformer at all.
  var areOfTransformer: Bool {
    modelType != nil || isOfTimm || width != nil || depth != nil || heads != nil || epsilon != nil
      || ropeTheta != nil
  }
}

/// The fields of a preprocessor_config.json that are looked at.
private struct Preprocessing: Decodable, Sendable {
  let isApplied: Bool?
  let mean: [Double]?
  let deviation: [Double]?

  enum CodingKeys: String, CodingKey {
    case isApplied = "do_normalize"
    case mean = "image_mean"
    case deviation = "image_std"
  }
}

/// One number, or one for rows and one for columns.
private struct Extent: Decodable, Sendable {
  /// nil when rows and columns differ.
  let only: Int?

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let pair = try? container.decode([Int].self) {
      only = Set(pair).count == 1 ? pair[0] : nil
    } else {
      only = try container.decode(Int.self)
    }
  }
}
