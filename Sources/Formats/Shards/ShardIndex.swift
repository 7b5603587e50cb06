import Faults

/// Which of several files of a model has which tensor: the index that Hugging Face's libraries write beside
/// them.
///
///     {"metadata": {"total_size": 88}, "weight_map": {"norm.bias": "model-00002-of-00002.safetensors"}}
///
/// - Source: huggingface_hub, `serialization/_torch.py`, `save_torch_state_dict`.
struct ShardIndex {
  /// Names of the files, which lie beside the index, in order of their bytes.
  let shards: [String]
  /// For each tensor the place of its file in `shards`.
  let places: [String: Int]

  /// The most files of one model; the largest published ones have a few hundred.
  static let shardLimit = 1_000

  /// - Throws: `badData` for another kind of JSON, a tensor that comes twice, no tensors, too many files, or
  ///   the name of a file that may lie elsewhere.
  init(of text: UnsafeRawBufferPointer) throws(Fault) {
    guard text.count <= SafetensorsHeader.maximumByteCount else {
      throw Fault(
        .badData, "", expected: "an index of at most \(SafetensorsHeader.maximumByteCount) bytes",
        found: "\(text.count)")
    }
    var map: [String: String]?
    var scanner = JSONScanner(text, subject: "index", of: "an index of weights")
    try scanner.object { scanner, key throws(Fault) in
      guard key == "weight_map" else { return try scanner.skipValue() }
      guard map == nil else { throw Self.twice(key) }
      map = try Self.map(&scanner)
    }
    try scanner.end()
    guard let map, !map.isEmpty else {
      throw Fault(
        .badData, "weight_map", "names no tensors", remedy: "fetch the index again, from where the files are")
    }
    let shards = Set(map.values)
    guard shards.count <= Self.shardLimit else {
      throw Fault(
        .badData, "weight_map", expected: "at most \(Self.shardLimit) files", found: "\(shards.count)")
    }
    self.shards = shards.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let numbers = Dictionary(uniqueKeysWithValues: self.shards.enumerated().map { ($1, $0) })
    places = map.compactMapValues { numbers[$0] }
  }

  private static func map(_ scanner: inout JSONScanner) throws(Fault) -> [String: String] {
    var map: [String: String] = [:]
    try scanner.object { scanner, tensor throws(Fault) in
      let shard = try scanner.string()
      guard isName(shard) else {
        throw Fault(
          .badData, "weight_map", expected: "names of files beside it: .safetensors, .bin, .pth or .pt",
          found: "\"\(excerpt(shard))\"", remedy: "the index is damaged or made to mislead: fetch it again")
      }
      guard map.updateValue(shard, forKey: tensor) == nil else { throw twice(tensor) }
    }
    return map
  }

  /// Whether it is a file's name without a path. Its ending keeps it apart from the configurations beside it.
  private static func isName(_ shard: String) -> Bool {
    guard !shard.hasPrefix("."), shard.utf8.count <= 255,
      !shard.unicodeScalars.contains(where: { $0 == "/" || $0.value < 0x20 || $0.value == 0x7F })
    else { return false }
    return [".safetensors", ".bin", ".pth", ".pt"].contains { shard.hasSuffix($0) && shard != $0 }
  }

  private static func twice(_ name: String) -> Fault {
    Fault(.badData, "index", "names \(excerpt(name)) twice", remedy: "fetch it again")
  }
}

/// The index that goes with a file of weights by its name: the file itself where it is one, the one beside a
/// file such as `model-00001-of-00003.safetensors`; nil for a file that is a whole model.
package func shardIndexPath(of path: String) -> String? {
  let file = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
  if file.hasSuffix(".index.json") { return path }
  // Always of five digits, unlike what people number themselves.
  let stem = file.prefix { $0 != "." }
  let words = stem.split(separator: "-", omittingEmptySubsequences: false)
  guard words.count > 3, words[words.count - 2] == "of" else { return nil }
  let (number, count) = (words[words.count - 3], words[words.count - 1])
  guard number.utf8.count == 5, count.utf8.count == 5, Int(number) != nil, Int(count) ?? 0 > 1 else {
    return nil
  }
  let name = words.dropLast(3).joined(separator: "-")
  return "\(path.dropLast(file.count))\(name)\(file.dropFirst(stem.count)).index.json"
}
