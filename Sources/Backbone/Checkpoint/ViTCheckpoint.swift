import Faults
import Formats

/// A file of weights whose tensors have been matched, name by name and shape by shape, with a vision
/// transformer.
///
/// Understood are the names of facebookresearch/dino, DINO4Cells, dinov2 and timm, with or without the prefixes
/// that training checkpoints put before them.
struct ViTCheckpoint {
  let geometry: ViTGeometry
  /// Which formula fits the positional embedding to other image sizes.
  let resampling: PositionResampling
  /// Tensors of the file that embedding does not use: projection heads of the training, the mask token.
  let ignored: [String]
  private let file: any TensorFile
  /// Name in the file by canonical name.
  private let stored: [String: String]

  init(_ file: any TensorFile) throws {
    self.file = file
    var stored: [String: String] = [:]
    var ignored: [String] = []
    for name in file.tensorNames {
      let canonical = Self.canonical(name)
      if Self.isUnused(canonical) {
        ignored.append(name)
      } else if let other = stored.updateValue(name, forKey: canonical) {
        throw Fault(
          .badData, file.name, "tensors \(other) and \(name) are both \(canonical)",
          remedy: "keep one model in the file")
      }
    }
    let classHasPosition = stored["reg_token"] == nil
    if let registers = stored.removeValue(forKey: "reg_token") { stored["register_tokens"] = registers }
    self.stored = stored
    self.ignored = ignored
    geometry = try Self.geometry(of: file, stored: stored, classHasPosition: classHasPosition)
    resampling = geometry.registerCount > 0 ? .antialiased : .offset
    try checkTensors()
  }

  /// The values of a tensor under its canonical name, all finite.
  func floats(_ name: String) throws -> [Float] {
    // Absent names were refused by `checkTensors`.
    let values = try file.floats(of: stored[name] ?? name)
    guard values.allSatisfy(\.isFinite) else {
      throw Fault(
        .badData, "\(file.name): tensor \(stored[name] ?? name)", "contains NaN or infinity",
        remedy: "the training diverged or the file is damaged: use another checkpoint")
    }
    return values
  }
}

// MARK: - Names

extension ViTCheckpoint {
  /// The name without what data-parallel training and teacher-student checkpoints put before it.
  private static func canonical(_ name: String) -> String {
    var name = Substring(name)
    while let prefix = ["module.", "backbone.", "teacher."].first(where: { name.hasPrefix($0) }) {
      name = name.dropFirst(prefix.count)
    }
    return String(name)
  }

  /// Whether a tensor belongs to training alone: DINO's projection head, or DINOv2's mask token.
  private static func isUnused(_ canonical: String) -> Bool {
    let head = ["head.mlp.0", "head.mlp.2", "head.mlp.4"].flatMap { ["\($0).weight", "\($0).bias"] }
    return canonical == "mask_token" || head.contains(canonical)
      || ["head.last_layer.weight_g", "head.last_layer.weight_v"].contains(canonical)
  }

  /// Everything missing, unexpected or of another shape, in one fault.
  private func checkTensors() throws {
    let expected = geometry.tensors()
    let missing = expected.map(\.name).filter { stored[$0] == nil }
    let names = Set(expected.map(\.name))
    let unexpected = stored.filter { !names.contains($0.key) }.map(\.value).sorted()
    let misshapen = expected.compactMap { tensor -> String? in
      guard let name = stored[tensor.name], let found = file.shape(of: name), found != tensor.shape else {
        return nil
      }
      return "\(name) (expected \(tensor.shape), found \(found))"
    }
    let problems = [
      Self.listed(missing, "missing"), Self.listed(unexpected, "unexpected"),
      Self.listed(misshapen, "of the wrong shape"),
    ].compactMap { $0 }
    guard problems.isEmpty else {
      throw Fault(
        .badData, file.name, problems.joined(separator: "; "),
        remedy: "use a ViT with the tensor names of DINO, DINOv2 or timm")
    }
  }

  /// "3 tensors missing: a, b, c", the first few by name; nil for none.
  private static func listed(_ names: [String], _ what: String) -> String? {
    guard !names.isEmpty else { return nil }
    let shown = names.prefix(4).joined(separator: ", ") + (names.count > 4 ? ", ..." : "")
    return "\(names.count) \(names.count == 1 ? "tensor" : "tensors") \(what): \(shown)"
  }
}

// MARK: - Geometry

extension ViTCheckpoint {
  private static func geometry(
    of file: any TensorFile, stored: [String: String], classHasPosition: Bool
  ) throws -> ViTGeometry {
    let telling = ["pos_embed", "patch_embed.proj.weight", "blocks.0.mlp.fc1.weight"]
    if let problem = listed(telling.filter { stored[$0] == nil }, "missing") {
      throw Fault(
        .badData, file.name, problem, remedy: "use a ViT with the tensor names of DINO, DINOv2 or timm")
    }
    func shape(_ name: String, _ meaning: String, rank: Int) throws -> [Int] {
      let shape = stored[name].flatMap(file.shape(of:)) ?? []
      guard shape.count == rank, shape.allSatisfy({ $0 > 0 }) else {
        throw Fault(
          .badData, "\(file.name): tensor \(name)", expected: "the shape \(meaning)", found: "\(shape)")
      }
      return shape
    }
    let patch = try shape("patch_embed.proj.weight", "[width, inputs, patch, patch]", rank: 4)
    let positions = try shape("pos_embed", "[1, tokens, width]", rank: 3)
    let hidden = try shape("blocks.0.mlp.fc1.weight", "[hidden, width]", rank: 2)
    let registers =
      stored["register_tokens"] == nil
      ? 0 : try shape("register_tokens", "[1, registers, width]", rank: 3)[1]

    let patches = positions[1] - (classHasPosition ? 1 : 0)
    let side = Int(Double(patches).squareRoot().rounded())
    guard side > 0, side * side == patches else {
      throw Fault(
        .badData, "\(file.name): tensor pos_embed", expected: "a square grid of positions",
        found: "\(patches) positions")
    }
    return ViTGeometry(
      width: patch[0], depth: blockCount(stored.keys), heads: try headCount(of: file, width: patch[0]),
      patchSize: patch[3], inputChannels: patch[1], gridSize: side, mlpWidth: hidden[0],
      hasLayerScale: stored["blocks.0.ls1.gamma"] != nil, registerCount: registers,
      classHasPosition: classHasPosition)
  }

  /// Blocks by distinct number: were it the largest number, one bad name could ask for a billion blocks.
  private static func blockCount(_ names: some Sequence<String>) -> Int {
    var numbers: Set<Int> = []
    for name in names {
      let parts = name.split(separator: ".", maxSplits: 2)
      if parts.count == 3, parts[0] == "blocks", let number = Int(parts[1]) { numbers.insert(number) }
    }
    return numbers.count
  }

  private static func headCount(of file: any TensorFile, width: Int) throws -> Int {
    if let text = file.metadata["num_heads"] {
      guard let heads = Int(text), heads > 0, width % heads == 0 else {
        throw Fault(
          .badData, "\(file.name): metadata num_heads", expected: "a divisor of the width \(width)",
          found: text)
      }
      return heads
    }
    guard width % 64 == 0 else {
      throw Fault(
        .badData, file.name, "the number of heads is unknown: the width \(width) is no multiple of 64",
        remedy: "put num_heads into the file's metadata")
    }
    return width / 64
  }
}
