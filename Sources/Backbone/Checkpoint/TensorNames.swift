import Faults
import Formats

/// The tensors of a file by their plain names: without what training, wrappers and task models put before
/// them, and without the chunks into which DINOv2's training divides its blocks.
///
///     teacher.module.backbone.blocks.1.6.norm1.weight  ->  blocks.6.norm1.weight
struct TensorNames {
  /// Name in the file by plain name.
  let stored: [String: String]
  /// Whether names tell that the file was written by a training, not as a release of weights.
  let areOfTraining: Bool
  /// Plain names with `#` for the number of a block, each once.
  let patterns: Set<String>
  /// The numbers of the blocks, each once. Were their count taken for the largest of them plus one, one bad
  /// name could ask for a billion blocks.
  let blocks: [String]
  /// Whether blocks are divided into chunks.
  let areChunked: Bool

  init(of file: any TensorFile) throws {
    var stored: [String: String] = [:]
    var areOfTraining = false
    var patterns: Set<String> = []
    var blocks: Set<String> = []
    var areChunked = false
    for name in file.tensorNames {
      let plain = PlainName(name)
      areOfTraining = areOfTraining || plain.isOfTraining
      if let other = stored.updateValue(name, forKey: plain.text) {
        throw Fault(
          .badData, file.name, "tensors \(other) and \(name) are both \(plain.text)",
          remedy: "keep one model in the file")
      }
      patterns.insert(plain.pattern)
      if let block = plain.block { blocks.insert(block) }
      areChunked = areChunked || plain.isChunked
    }
    self.stored = stored
    self.areOfTraining = areOfTraining
    self.patterns = patterns
    self.blocks = blocks.sorted()
    self.areChunked = areChunked
  }
}

/// One name, taken apart.
private struct PlainName {
  let text: String
  let pattern: String
  /// The number of the block that the tensor belongs to.
  let block: String?
  let isOfTraining: Bool
  let isChunked: Bool

  /// What stands before the names of a model inside a training checkpoint.
  private static let ofTraining = [
    "teacher.", "student.", "model_ema.", "gram_teacher.", "module.", "backbone.",
  ]
  /// And inside a task model.
  private static let ofTasks = ["model.", "vit.", "dinov2.", "dinov2_with_registers.", "dinov3_vit."]
  /// Words that PyTorch puts before what it compiles, shards or computes twice.
  private static let wrappers: Set<Substring> = [
    "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module",
  ]
  /// The words that a block's number follows.
  private static let lists: Set<Substring> = ["blocks", "layer", "layers"]

  init(_ name: String) {
    let unwrapped = name.split(separator: ".", omittingEmptySubsequences: false)
      .filter { !Self.wrappers.contains($0) }
    var name = unwrapped.joined(separator: ".")[...]
    var isOfTraining = false
    while let prefix = (Self.ofTraining + Self.ofTasks).first(where: { name.hasPrefix($0) }) {
      isOfTraining = isOfTraining || Self.ofTraining.contains(prefix)
      name = name.dropFirst(prefix.count)
    }
    self.isOfTraining = isOfTraining

    var words = name.split(separator: ".", omittingEmptySubsequences: false)
    guard let list = words.firstIndex(where: Self.lists.contains), list + 1 < words.count,
      Int(words[list + 1]) != nil
    else {
      (text, pattern, block, isChunked) = (String(name), String(name), nil, false)
      return
    }
    isChunked = list + 2 < words.count && Int(words[list + 2]) != nil
    if isChunked { words.remove(at: list + 1) }
    text = words.joined(separator: ".")
    block = String(words[list + 1])
    words[list + 1] = "#"
    pattern = words.joined(separator: ".")
  }
}
