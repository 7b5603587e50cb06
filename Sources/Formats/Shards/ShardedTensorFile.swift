import Faults

/// A model whose tensors are spread over several files, read as one file.
///
/// The index must tell the truth: every tensor that it names is in the file that it says, and no file has
/// others.
struct ShardedTensorFile: TensorFile {
  /// The path of the index.
  let name: String
  let format: TensorFormat
  /// The texts of all files together.
  let metadata: [String: String]
  let tensorNames: [String]
  private let places: [String: Int]
  private let shards: [any TensorFile]

  var branches: TensorBranches { .none }
  var files: [StoredFile] { shards.flatMap(\.files) }

  /// - Parameters:
  ///   - index: the bytes of the index.
  ///   - name: its path; the files lie in its folder.
  ///   - open: gives the bytes of the file at a path.
  /// - Throws: `missingInput` when one of the files is not there; `badData` when the index or a file is
  ///   damaged, they contradict each other, or a file is a whole training.
  init(index: FileBytes, name: String, open: (String) throws -> FileBytes) throws {
    let index = try index.withUnsafeBytes { bytes throws(Fault) in
      do throws(Fault) { return try ShardIndex(of: bytes) } catch { throw error.within(name) }
    }
    let folder = name.lastIndex(of: "/").map { name[...$0] } ?? ""
    shards = try index.shards.map { try Self.shard(at: folder + $0, of: name, open) }
    places = index.places
    tensorNames = index.places.keys.sorted()
    self.name = name
    format = shards.first?.format ?? .safetensors
    var metadata: [String: String] = [:]
    for (number, shard) in shards.enumerated() {
      try Self.check(shard, number, against: index, name)
      for (key, text) in shard.metadata.sorted(by: { $0.key < $1.key }) {
        let known = metadata.updateValue(text, forKey: key)
        guard known == nil || known == text else {
          throw Fault(
            .badData, "\(shard.name): metadata \(excerpt(key))",
            expected: "\"\(excerpt(known ?? ""))\", as in another file of the model",
            found: "\"\(excerpt(text))\"", remedy: "fetch all files again, from one place")
        }
      }
    }
    try Self.checkNoneIsMissing(shards, index, name)
    self.metadata = metadata
  }

  private static let remedy = "fetch the index and all files again, from one place"

  private static func shard(
    at path: String, of index: String, _ open: (String) throws -> FileBytes
  ) throws -> any TensorFile {
    let bytes: FileBytes
    do {
      bytes = try open(path)
    } catch let fault as Fault where fault.kind == .missingInput {
      throw Fault(
        .missingInput, path, "does not exist, but \(index) names it",
        remedy: "fetch all files of the model into one folder")
    }
    let file = try openWholeTensorFile(bytes, name: path)
    guard file.branches.chosen == nil else {
      throw Fault(
        .badData, path, expected: "tensors of one model", found: "a training's checkpoint",
        remedy: "give that file by itself, under a name without numbers")
    }
    return file
  }

  private static func check(
    _ shard: any TensorFile, _ number: Int, against index: ShardIndex, _ name: String
  ) throws {
    if let stranger = shard.tensorNames.first(where: { index.places[$0] != number }) {
      let elsewhere = index.places[stranger].map { "has in \(excerpt(index.shards[$0]))" } ?? "does not have"
      throw Fault(
        .badData, shard.name, "has tensor \(excerpt(stranger)), which \(name) \(elsewhere)", remedy: remedy)
    }
  }

  /// Looks whether the files have all that the index names; nothing else is in them.
  private static func checkNoneIsMissing(_ shards: [any TensorFile], _ index: ShardIndex, _ name: String)
    throws
  {
    guard shards.reduce(0, { $0 + $1.tensorNames.count }) < index.places.count,
      let missing = index.places.filter({ shards[$0.value].shape(of: $0.key) == nil }).min(by: {
        $0.key < $1.key
      })
    else { return }
    throw Fault(
      .badData, shards[missing.value].name, "has no tensor \(excerpt(missing.key)), which \(name) has in it",
      remedy: remedy)
  }

  func shape(of tensor: String) -> [Int]? { places[tensor].flatMap { shards[$0].shape(of: tensor) } }

  func floats(of tensor: String) throws -> [Float] {
    guard let place = places[tensor] else {
      throw Fault(.missingInput, name, "has no tensor \(excerpt(tensor))")
    }
    return try shards[place].floats(of: tensor)
  }
}
