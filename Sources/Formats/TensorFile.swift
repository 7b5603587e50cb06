import Faults

/// The formats of files of tensors.
package enum TensorFormat: String, Sendable, Codable {
  case safetensors
  /// What `torch.save` writes: .pth, .pt, .bin.
  case pyTorch = "PyTorch"
}

/// Named tensors of a file, or of several that make a model together, whatever the format: read in place,
/// checked before anything is handed out.
package protocol TensorFile: Sendable {
  /// What faults are told of: the path, of several files that of their index, or the name given with the
  /// bytes.
  var name: String { get }

  var format: TensorFormat { get }

  /// Which of several models in the file is read.
  var branches: TensorBranches { get }

  /// Texts that the file carries beside its tensors; empty where the format has none.
  var metadata: [String: String] { get }

  /// All tensors by name, in order of their names.
  var tensorNames: [String] { get }

  /// The tensor's extents, outermost first; nil when there is no such tensor.
  func shape(of tensor: String) -> [Int]?

  /// The tensor's values in row-major order. Narrower floating-point types are widened, which is exact;
  /// values of 64 bits are rounded to the nearest of 32, and are infinite beyond their range.
  /// - Throws: `missingInput` for an unknown name, `badData` for a type that is not a floating-point type.
  func floats(of tensor: String) throws -> [Float]

  /// The files with the tensors as they are on disk: one, or several in the order of their names' bytes.
  var files: [StoredFile] { get }
}

extension TensorFile {
  /// Size of the files with the tensors.
  package var byteCount: Int { files.reduce(0) { $0 + $1.bytes.byteCount } }

  /// What the files were when they were opened; nil where one of them is in memory.
  package var identities: [FileIdentity]? {
    let identities = files.compactMap(\.bytes.identity)
    return identities.count == files.count ? identities : nil
  }

  /// Whether the files are still what they were when they were opened, as far as their identities tell.
  package var isUnchanged: Bool { files.allSatisfy(\.bytes.isUnchanged) }

  /// Gives the memory of the files' pages back until they are read again.
  package func releasePages() {
    for file in files { file.bytes.releasePages() }
  }
}

/// A file in place.
package struct StoredFile: Sendable {
  package let path: String
  package let bytes: FileBytes
}

extension SafetensorsFile: TensorFile {
  package var format: TensorFormat { .safetensors }
  package var branches: TensorBranches { .none }

  package var files: [StoredFile] { [StoredFile(path: name, bytes: storage)] }
}

/// Opens a file of tensors, safetensors or PyTorch's; what it is follows from its first bytes, not from its
/// name. The index of a model over several files, or one of the files with the index beside it, opens them
/// all.
///
/// - Parameter branch: of a file with several models the wanted one: the key of a dictionary at the top of a PyTorch
///   checkpoint, or the first word of tensors' names, such as "student". By default it is the usual one: the teacher
///   of a training (see `PyTorchFile`), or the whole file.
/// - Throws: `missingInput` when there is no such file or branch, or one of several files is missing, `usage`
///   for a branch of a file that has none, `badData` for a file that is neither, or is damaged.
package func openTensorFile(path: String, branch: String? = nil) throws -> any TensorFile {
  let file = try FileBytes(path: path)
  guard let index = shardIndexPath(of: path) else {
    return try openTensorFile(file, name: path, branch: branch)
  }
  let shards = try openShards(index, from: path)
  return try chosenBranch(branch, of: shards)
}

/// The same for a file that is already in memory.
package func openTensorFile(bytes: [UInt8], name: String, branch: String? = nil) throws -> any TensorFile {
  try openTensorFile(FileBytes(bytes: bytes), name: name, branch: branch)
}

/// The same for an index and the files that it names, which are in memory.
/// - Throws: `missingInput` for a file that is not among `shards`.
package func openTensorFile(
  index: [UInt8], name: String, shards: [String: [UInt8]], branch: String? = nil
) throws -> any TensorFile {
  let file = try ShardedTensorFile(index: FileBytes(bytes: index), name: name) { path in
    guard let bytes = shards[path] else { throw Fault(.missingInput, path, "does not exist") }
    return FileBytes(bytes: bytes)
  }
  return try chosenBranch(branch, of: file)
}

/// - Parameter path: the index, or the one of the files that was asked for.
private func openShards(_ index: String, from path: String) throws -> ShardedTensorFile {
  let bytes: FileBytes
  do {
    bytes = try FileBytes(path: index)
  } catch let fault as Fault where fault.kind == .missingInput {
    throw Fault(
      .missingInput, path, "is one of several files of a model, whose index \(index) does not exist",
      remedy: "fetch the index and all files into one folder")
  }
  let shards = try ShardedTensorFile(index: bytes, name: index) { try FileBytes(path: $0) }
  guard index == path || shards.files.contains(where: { $0.path == path }) else {
    throw Fault(
      .badData, path, "is not among the files that \(index) names",
      remedy: "give the index, or this file under a name without numbers")
  }
  return shards
}

/// A file in any format; of a PyTorch checkpoint with several dictionaries the usual one.
func openWholeTensorFile(_ file: FileBytes, name: String) throws -> any TensorFile {
  switch file.withUnsafeBytes(WeightsFormat.init(of:)) {
  case .pyTorch: return try PyTorchFile(file, name: name, branch: nil)
  case .safetensors: return try SafetensorsFile(storage: file, name: name)
  case .other(let format, let remedy):
    throw Fault(
      .badData, name, expected: "a safetensors file or a PyTorch checkpoint", found: format, remedy: remedy)
  }
}

private func openTensorFile(_ file: FileBytes, name: String, branch: String?) throws -> any TensorFile {
  let usual = try openWholeTensorFile(file, name: name)
  guard usual.format == .pyTorch else { return try chosenBranch(branch, of: usual) }
  if let branch, usual.branches.all.contains(branch) {
    let keyed = try PyTorchFile(file, name: name, branch: branch)
    return try NamedBranch(keyed, branch, of: keyed.branches) ?? keyed
  }
  if let part = try NamedBranch(usual, branch, of: usual.branches) { return part }
  // An unknown branch is told by the reader.
  return branch == nil ? usual : try PyTorchFile(file, name: name, branch: branch)
}

/// The wanted one of the models that tensors' names tell apart, in files that have no other division.
private func chosenBranch(_ branch: String?, of file: any TensorFile) throws -> any TensorFile {
  if let part = try NamedBranch(file, branch, of: .none) { return part }
  guard branch == nil else {
    throw Fault(
      .usage, file.name, "has the tensors of one model, and no branches", remedy: "leave the branch out")
  }
  return file
}
