import Faults
import Formats

/// A file of weights whose tensors have been matched, name by name and shape by shape, with a vision
/// transformer of one of the known families.
struct ViTCheckpoint {
  let source: ViTSource
  let geometry: ViTGeometry
  let headsAreAssumed: Bool
  let family: ViTFamily
  /// Which formula fits the positional embedding to other image sizes.
  let resampling: PositionResampling
  /// Side of the images of the training, pixels; nil when neither positions nor a configuration tell it.
  let trainedImageSizePx: Int?
  /// That, or else a customary one.
  let defaultImageSizePx: Int
  let normalization: InputNormalization?
  /// Tensors of the file that embedding does not use: heads of the training, classifiers, the mask token.
  let ignored: [String]
  /// What the configuration says against or beyond the file, in words; empty when the file alone would be
  /// read the same.
  let configured: String

  private let file: any TensorFile
  private let names: TensorNames
  private let scheme: NamingScheme
  private let ropeTheta: Double

  /// - Parameter configuration: the config.json beside the file.
  /// - Throws: `badData` that names all tensors that are missing, unexpected or of another shape, or the
  ///   field of the configuration that contradicts them.
  init(_ file: any TensorFile, configuration: ModelConfiguration? = nil) throws {
    let names = try TensorNames(of: file)
    let scheme = try NamingScheme.best(for: names, of: file, configuration: configuration)
    let configuration = try configuration.flatMap { try $0.applies(to: scheme.source) ? $0 : nil }
    let reading = try GeometryReading(file: file, names: names, scheme: scheme, configuration: configuration)
    let geometry = reading.geometry
    try configuration?.check(against: geometry, weights: file.name)

    self.file = file
    self.names = names
    self.scheme = scheme
    self.geometry = geometry
    headsAreAssumed = reading.headsAreAssumed
    source = scheme.source
    family = ViTFamily(source: source, geometry: geometry, isOfTraining: names.areOfTraining)
    normalization = try configuration?.normalization(inputs: geometry.inputChannels) ?? family.normalization
    resampling = source.resampling(hasRegisters: geometry.registerCount > 0)
    trainedImageSizePx = geometry.trainedImageSizePx ?? configuration?.imageSizePx
    let wished = trainedImageSizePx ?? source.customaryImageSizePx
    defaultImageSizePx = geometry.patchSize * max(1, wished / geometry.patchSize)
    ignored = names.stored.filter { scheme.isUnused($0.key) || reading.isEmptyHead($0.key) }.map(\.value)
      .sorted()
    ropeTheta = try configuration?.checkedRopeTheta ?? ViTCheckpoint.customaryTheta
    configured = try reading.configured(ropeTheta: ropeTheta)
    try checkTensors()
  }

  static let customaryTheta = 100.0

  /// The values of a tensor under its canonical name, all finite; its parts joined, those that the file does
  /// without being zeros. Biases under a mask are multiplied with it.
  func floats(_ name: String) throws -> [Float] {
    let parts = scheme.parts(of: name)
    let stored = try parts.map { part in try names.stored[part.name].map(finiteFloats) }
    let length = stored.compactMap { $0?.count }.first ?? 0
    var values = stored.first.flatMap { $0 } ?? [Float](repeating: 0, count: length)
    for part in stored.dropFirst() { values += part ?? [Float](repeating: 0, count: length) }
    if let mask = scheme.parts(of: name + "_mask").first.flatMap({ names.stored[$0.name] }) {
      for (index, factor) in try finiteFloats(mask).enumerated() { values[index] *= factor }
    }
    return values
  }

  /// Periods of the rotation, one for each frequency, in patches' coordinates of -1 to 1; a quarter of a
  /// head's width of them.
  func ropePeriods() throws -> [Double] {
    let stored = try floats("rope_embed.periods")
    if let period = stored.first(where: { $0 <= 0 }) {
      throw Fault(
        .badData, "\(file.name): tensor rope_embed.periods", expected: "positive periods", found: "\(period)")
    }
    guard stored.isEmpty else { return stored.map(Double.init) }
    return RotaryPositions.periods(headWidth: geometry.headWidth, theta: ropeTheta)
  }

  /// Gives the memory of tensors that were read back to the system.
  func releasePages() { file.releasePages() }

  private func finiteFloats(_ stored: String) throws -> [Float] {
    let values = try file.floats(of: stored)
    guard areFinite(values) else {
      throw Fault(
        .badData, "\(file.name): tensor \(stored)", "contains NaN or infinity",
        remedy: "the training diverged or the file is damaged: use another checkpoint")
    }
    return values
  }
}

/// Without a way out at the first that is not, so that the compiler compares several at a time.
private func areFinite(_ values: [Float]) -> Bool {
  let largest = values.reduce(0 as UInt32) { max($0, $1.bitPattern & 0x7FFF_FFFF) }
  return Float(bitPattern: largest).isFinite
}

// MARK: - Strictness

extension ViTCheckpoint {
  /// Everything missing, unexpected or of another shape, in one fault.
  private func checkTensors() throws {
    let expected = expectedTensors()
    let missing = expected.map(\.name).filter { names.stored[$0] == nil }
    let known = Set(expected.map(\.name))
    let ignored = Set(ignored)
    let unexpected = names.stored.filter { !known.contains($0.key) && !ignored.contains($0.value) }
      .map(\.value).sorted()
    let misshapen = expected.compactMap { tensor -> String? in
      guard let name = names.stored[tensor.name], let found = file.shape(of: name), found != tensor.shape
      else {
        return nil
      }
      return "\(name) (expected \(tensor.shape), found \(found))"
    }
    let problems = [
      Self.listed(missing, "missing"), Self.listed(unexpected, "unexpected"),
      Self.listed(misshapen, "of the wrong shape"),
    ].compactMap { $0 }
    guard problems.isEmpty else {
      throw Fault(.badData, file.name, problems.joined(separator: "; "), remedy: Self.remedy)
    }
  }

  /// Every tensor that the file must have, under its plain name there.
  private func expectedTensors() -> [ViTGeometry.Tensor] {
    var list: [ViTGeometry.Tensor] = []
    for tensor in geometry.tensors() {
      let parts = scheme.parts(of: tensor.name)
      let shape = [tensor.shape[0] / max(1, parts.count)] + tensor.shape.dropFirst()
      for part in parts where !scheme.mayBeAbsent(part.pattern) || names.patterns.contains(part.pattern) {
        list.append(.init(name: part.name, shape: shape))
      }
      for mask in scheme.parts(of: tensor.name + "_mask") where names.patterns.contains(mask.pattern) {
        list.append(.init(name: mask.name, shape: shape.count == 1 ? tensor.shape : shape))
      }
    }
    for periods in scheme.parts(of: "rope_embed.periods") where names.patterns.contains(periods.pattern) {
      list.append(.init(name: periods.name, shape: [geometry.headWidth / 4]))
    }
    // A model without registers may say so by a tensor of none.
    if geometry.registerCount == 0 {
      for none in scheme.parts(of: "register_tokens") where names.patterns.contains(none.pattern) {
        list.append(.init(name: none.name, shape: [1, 0, geometry.width]))
      }
    }
    return list
  }

  /// "3 tensors missing: a, b, c", the first few by name; nil for none.
  static func listed(_ names: [String], _ what: String) -> String? {
    guard !names.isEmpty else { return nil }
    let shown = names.prefix(4).joined(separator: ", ") + (names.count > 4 ? ", ..." : "")
    return "\(names.count) \(names.count == 1 ? "tensor" : "tensors") \(what): \(shown)"
  }

  static let remedy =
    "use a DINO, DINOv2, DINOv3 or SubCell model as its authors, timm or Hugging Face spell it"
}

extension ModelConfiguration {
  /// - Throws: `badData` when it is not positive.
  fileprivate var checkedRopeTheta: Double? {
    get throws {
      guard let ropeTheta else { return nil }
      guard ropeTheta > 0 else {
        throw contradiction("rope_theta", expected: "a positive number", found: "\(ropeTheta)")
      }
      return ropeTheta
    }
  }

  /// Whether it can belong to files of these names: files of the authors have none, and may lie beside
  /// another's.
  fileprivate func applies(to source: ViTSource) throws -> Bool {
    if isOfTimm { return source == .timm || source == .timmV3 }
    guard let modelType else { return true }
    if source.modelTypes.contains(modelType) { return true }
    guard let expected = source.modelTypes.first else { return false }
    throw contradiction("model_type", expected: "\(expected), as the tensors are called", found: modelType)
  }
}
