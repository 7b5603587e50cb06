import Faults

/// Which of the models of a file is read.
package struct TensorBranches: Sendable, Equatable {
  /// The one that is read; nil when the file is not divided, or is read as a whole.
  package let chosen: String?
  /// The one that is read when none is asked for; nil for the file as a whole.
  package let usual: String?
  /// All that one can ask for.
  package let all: [String]

  /// The one that is read, when it is not the usual one.
  package var unusual: String? { chosen == usual ? nil : chosen }

  static let none = TensorBranches(chosen: nil, usual: nil, all: [])
}

/// One of several models whose tensors stand side by side in a file, as DINOv2's training keeps them, told apart by
/// the first word of their names: `teacher.backbone.norm.weight` and `student.backbone.norm.weight`.
///
/// Names stay what they are, and tensors that belong to none of the models stay.
struct NamedBranch: TensorFile {
  private let file: any TensorFile
  let branches: TensorBranches
  let tensorNames: [String]

  /// - Parameters:
  ///   - name: the wanted model; nil for the first of `words` that there is.
  ///   - outer: the branches of the file itself.
  /// - Throws: `missingInput` for a model that is not there, and no branch of the file itself either.
  /// - Returns: nil when the tensors' names are not divided.
  init?(_ file: any TensorFile, _ name: String?, of outer: TensorBranches) throws {
    let names = file.tensorNames
    let present = Set(names.compactMap(Self.word))
    guard let usual = Self.words.first(where: present.contains) else { return nil }
    let inner = Self.words.filter(present.contains)
    let all = inner + outer.all.filter { !inner.contains($0) }
    // A key of the file leads to the usual model under it.
    let word = name.map { outer.all.contains($0) && !inner.contains($0) ? usual : $0 } ?? usual
    guard inner.contains(word) else {
      throw Fault.unknownName(.missingInput, "branch", word, among: all.map(excerpt)).within(file.name)
    }
    self.file = file
    tensorNames = names.filter { Self.word(of: $0).map { $0 == word } ?? true }
    branches =
      outer.unusual == nil
      ? TensorBranches(chosen: word, usual: usual, all: all)
      : TensorBranches(chosen: outer.chosen, usual: outer.usual, all: all)
  }

  /// Of a teacher and its student, the teacher is what is used after training.
  private static let words = ["teacher", "model_ema", "student", "gram_teacher"]
  /// What may stand before them.
  private static let wrappers: Set<Substring> = ["module", "model", "_orig_mod"]

  private static func word(of name: String) -> String? {
    let first = name.split(separator: ".", maxSplits: 3).drop { wrappers.contains($0) }.first
    return first.flatMap { first in words.first { $0 == first } }
  }

  var name: String { file.name }
  var format: TensorFormat { file.format }
  var metadata: [String: String] { file.metadata }
  var files: [StoredFile] { file.files }

  func shape(of tensor: String) -> [Int]? { file.shape(of: tensor) }

  func floats(of tensor: String) throws -> [Float] { try file.floats(of: tensor) }
}
