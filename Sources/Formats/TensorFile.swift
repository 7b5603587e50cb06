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

  /// The tensor's values in row-major order; narrower floating-point types are widened, which is exact.
  /// - Throws: `missingInput` for an unknown name, `badData` for a type that is not a floating-point type.
  func floats(of tensor: String) throws -> [Float]

  /// The file as a whole, for the length of the call.
  func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result
}

extension SafetensorsFile: TensorFile {}

/// Opens a file of tensors; what it is follows from its first bytes, not from its name.
package func openTensorFile(path: String) throws -> any TensorFile {
  try SafetensorsFile(path: path)
}
