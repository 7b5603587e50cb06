import Faults

/// A checkpoint that `torch.save` wrote (.pth, .pt, .bin), read in place: nothing in it is run.
///
/// Of a checkpoint of several dictionaries of tensors one is read, the branch: `teacher`, or else `student`,
/// `state_dict`, `model` or `model_state_dict`, or else the file as a whole. Names inside it are joined with
/// dots.
package struct PyTorchFile: TensorFile {
  package let name: String
  /// Numbers and texts that stand at the top of the file, such as `epoch`.
  package let metadata: [String: String]
  /// The keys of dictionaries with tensors, in the order of the file, and which of them is read.
  package let branches: TensorBranches
  private let tensors: [String: TorchTensor]
  let storage: FileBytes

  /// Maps the file read-only. Whoever shortens it while it is mapped kills the process that reads it: files
  /// of weights are replaced, not edited.
  ///
  /// - Parameter branch: the key of the dictionary that is read; nil for the usual one.
  /// - Throws: `missingInput` when there is no such file or branch; `badData` when the file is not a
  ///   checkpoint, is damaged, or is from a big-endian machine.
  package init(path: String, branch: String? = nil) throws {
    try self.init(FileBytes(path: path), name: path, branch: branch)
  }

  /// Reads a file that is already in memory.
  package init(bytes: [UInt8], name: String, branch: String? = nil) throws {
    try self.init(FileBytes(bytes: bytes), name: name, branch: branch)
  }

  init(_ storage: FileBytes, name: String, branch: String?) throws {
    let state = try storage.withUnsafeBytes { bytes throws(Fault) in
      do throws(Fault) {
        return try TorchStateDict(TorchContainer(of: bytes), branch: branch, bytes)
      } catch {
        throw error.within(name)
      }
    }
    self.name = name
    self.storage = storage
    branches = state.branches
    tensors = state.tensors
    metadata = state.metadata
  }

  package var format: TensorFormat { .pyTorch }

  package var tensorNames: [String] { tensors.keys.sorted() }

  package func shape(of tensor: String) -> [Int]? { tensors[tensor]?.shape }

  package func floats(of tensor: String) throws -> [Float] {
    guard let found = tensors[tensor] else {
      throw Fault(.missingInput, name, "has no tensor \(excerpt(tensor))")
    }
    guard let type = found.type.floatingPoint else {
      throw Fault(
        .badData, "\(name): tensor \(excerpt(tensor))", expected: "float32, float16, bfloat16 or float64",
        found: found.type.rawValue, remedy: "convert it in Python with .float()")
    }
    return storage.withUnsafeBytes { bytes in
      type.floats(
        in: UnsafeRawBufferPointer(rebasing: bytes[found.data]), shape: found.shape, strides: found.strides)
    }
  }

  package var files: [StoredFile] { [StoredFile(path: name, bytes: storage)] }
}
