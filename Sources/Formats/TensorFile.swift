import Faults

/// A file of named tensors, whatever its format: read in place, checked before anything is handed out.
package protocol TensorFile: Sendable {
  /// What faults are told of: the path, or the name given with the bytes.
  var name: String { get }

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

  /// Of a file with several models the key of the one that is read, and all keys; nil and none where there is
  /// one model.
  var branch: String? { get }
  var branches: [String] { get }

  /// The file as a whole, for the length of the call.
  func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result
}

extension SafetensorsFile: TensorFile {
  package var branch: String? { nil }
  package var branches: [String] { [] }
}

/// Opens a file of tensors, safetensors or PyTorch's; what it is follows from its first bytes, not from its
/// name.
///
/// - Parameter branch: of a PyTorch checkpoint with several models the key of the wanted one, such as
///   "student"; nil for the usual one (see `PyTorchFile`).
/// - Throws: `missingInput` when there is no such file or branch, `usage` for a branch of a file that has
///   none, `badData` for a file that is neither, or is damaged.
package func openTensorFile(path: String, branch: String? = nil) throws -> any TensorFile {
  try openTensorFile(FileBytes(path: path), name: path, branch: branch)
}

/// The same for a file that is already in memory.
package func openTensorFile(bytes: [UInt8], name: String, branch: String? = nil) throws -> any TensorFile {
  try openTensorFile(FileBytes(bytes: bytes), name: name, branch: branch)
}

private func openTensorFile(_ file: FileBytes, name: String, branch: String?) throws -> any TensorFile {
  switch file.withUnsafeBytes(WeightsFormat.init(of:)) {
  case .pyTorch: return try PyTorchFile(file, name: name, branch: branch)
  case .safetensors:
    guard branch == nil else {
      throw Fault(
        .usage, name, "is a safetensors file, which has no branches", remedy: "leave the branch out")
    }
    return try SafetensorsFile(storage: file, name: name)
  case .other(let format, let remedy):
    throw Fault(
      .badData, name, expected: "a safetensors file or a PyTorch checkpoint", found: format, remedy: remedy)
  }
}
