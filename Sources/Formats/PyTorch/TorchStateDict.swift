import Faults

/// The named tensors of one branch of a PyTorch checkpoint.
///
/// A checkpoint is a dictionary of tensors, or a dictionary of several such and whatever else a training
/// keeps. One of them, a branch, is the model; names inside it are joined with dots.
struct TorchStateDict {
  let tensors: [String: TorchTensor]
  /// Keys of all dictionaries with tensors, in the order of the file, and which of them is read.
  let branches: TensorBranches
  /// Numbers and texts that stand beside the branches, such as `epoch`.
  let metadata: [String: String]

  /// - Parameter name: the key of the wanted branch; nil for the first of `preferredBranches` that there is,
  ///   or else the whole file.
  /// - Throws: `missingInput` for an unknown branch, `badData` when there are no tensors, when two have one
  ///   name, or when a tensor reaches beyond its storage.
  init(_ container: TorchContainer, branch name: String?, _ file: UnsafeRawBufferPointer) throws(Fault) {
    var walk = TorchObjectWalk(container, file)
    let items = try walk.rootItems()
    let candidates = items.filter { walk.holdsTensors($0.value) }
    let keys = candidates.map(\.key)
    let chosen = try Self.choose(name, among: keys)
    branches = TensorBranches(chosen: chosen, usual: try Self.choose(nil, among: keys), all: keys)
    metadata = walk.metadata(of: items)
    let value = candidates.first { $0.key == chosen }?.value ?? container.root
    tensors = try walk.tensors(of: value)
    guard !tensors.isEmpty else {
      throw Fault(
        .badData, "", expected: "a dictionary of tensors", found: "one without any",
        remedy: "save the weights: torch.save(model.state_dict(), path)")
    }
  }

  /// Of a teacher and its student, the teacher is what is used after training.
  static let preferredBranches = ["teacher", "student", "state_dict", "model", "model_state_dict"]

  private static func choose(_ name: String?, among branches: [String]) throws(Fault) -> String? {
    guard let name else { return preferredBranches.first { branches.contains($0) } }
    guard branches.contains(name) else {
      let fault = Fault.unknownName(.missingInput, "branch", name, among: branches.prefix(64).map(excerpt))
      throw branches.isEmpty
        ? Fault(.missingInput, fault.subject, "does not exist: all tensors stand at the top of the file")
        : fault
    }
    return name
  }
}
