import Faults

/// The formats of files of tensors.
package enum TensorFormat: String, Sendable, Codable {
  case safetensors
  /// What `torch.save` writes: .pth, .pt, .bin.
  case pyTorch = "PyTorch"
}

/// A file of named tensors, whatever its format: read in place, checked before anything is handed out.
package protocol TensorFile: Sendable {
  /// What faults are told of: the path, or the name given with the bytes.
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

  /// The bytes of the file as a whole.
  var storage: FileBytes { get }
}

extension TensorFile {
  /// The file as a whole, for the length of the call.
  package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try storage.withUnsafeBytes(body)
  }
}

extension SafetensorsFile: TensorFile {
  package var format: TensorFormat { .safetensors }
  package var branches: TensorBranches { .none }
}

/// Opens a file of tensors, safetensors or PyTorch's; what it is follows from its first bytes, not from its
/// name.
///
/// - Parameter branch: of a file with several models the wanted one: the key of a dictionary at the top of a PyTorch
///   checkpoint, or the first word of tensors' names, such as "student". By default it is the usual one: the teacher
///   of a training (see `PyTorchFile`), or the whole file.
/// - Throws: `missingInput` when there is no such file or branch, `usage` for a branch of a file that has
///   none, `badData` for a file that is neither, is damaged, or is one of several over which a model is spread.
package func openTensorFile(path: String, branch: String? = nil) throws -> any TensorFile {
  let file = try FileBytes(path: path)
  try WeightsFormat.refusePart(path)
  return try openTensorFile(file, name: path, branch: branch)
}

/// The same for a file that is already in memory.
package func openTensorFile(bytes: [UInt8], name: String, branch: String? = nil) throws -> any TensorFile {
  try openTensorFile(FileBytes(bytes: bytes), name: name, branch: branch)
}

private func openTensorFile(_ file: FileBytes, name: String, branch: String?) throws -> any TensorFile {
  switch file.withUnsafeBytes(WeightsFormat.init(of:)) {
  case .pyTorch: return try openPyTorchFile(file, name: name, branch: branch)
  case .safetensors:
    let whole = try SafetensorsFile(storage: file, name: name)
    if let part = try NamedBranch(whole, branch, of: .none) { return part }
    guard branch == nil else {
      throw Fault(
        .usage, name, "is a safetensors file of one model, which has no branches",
        remedy: "leave the branch out")
    }
    return whole
  case .other(let format, let remedy):
    throw Fault(
      .badData, name, expected: "a safetensors file or a PyTorch checkpoint", found: format, remedy: remedy)
  }
}

private func openPyTorchFile(_ file: FileBytes, name: String, branch: String?) throws -> any TensorFile {
  let usual = try PyTorchFile(file, name: name, branch: nil)
  if let branch, usual.branches.all.contains(branch) {
    let keyed = try PyTorchFile(file, name: name, branch: branch)
    return try NamedBranch(keyed, branch, of: keyed.branches) ?? keyed
  }
  if let part = try NamedBranch(usual, branch, of: usual.branches) { return part }
  // An unknown branch is told by the reader.
  return branch == nil ? usual : try PyTorchFile(file, name: name, branch: branch)
}
