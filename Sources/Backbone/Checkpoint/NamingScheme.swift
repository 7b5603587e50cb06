/// How one kind of file spells the tensors of a vision transformer: a table from canonical names
/// (`ViTGeometry.tensors()`) to the file's. In both, `#` stands for the number of a block.
struct NamingScheme: Sendable {
  let source: ViTSource
  /// For each canonical tensor the tensors of the file whose rows, one behind the other, make it.
  private let parts: [String: [String]]
  /// Tensors that a file may do without altogether; they are zeros then.
  private let zeros: Set<String>
  /// Names, or with a full stop at the end beginnings of names, that embedding does not use.
  private let unused: [String]
  /// All names of the table.
  private let vocabulary: Set<String>

  /// - Parameters:
  ///   - tensors: the parts of single tensors.
  ///   - layers: the parts of layers, which have a `.weight` and a `.bias`.
  init(
    _ source: ViTSource, tensors: [String: [String]], layers: [String: [String]], zeros: Set<String> = [],
    unused: [String] = []
  ) {
    self.init(source, parts: Self.parts(tensors, layers), zeros: zeros, unused: unused)
  }

  private init(_ source: ViTSource, parts: [String: [String]], zeros: Set<String>, unused: [String]) {
    self.source = source
    self.parts = parts
    self.zeros = zeros
    self.unused = unused
    vocabulary = Set(parts.values.joined())
  }

  private static func parts(_ tensors: [String: [String]], _ layers: [String: [String]]) -> [String: [String]]
  {
    var parts = tensors
    for (name, layer) in layers {
      for kind in [".weight", ".bias"] where tensors[name + kind] == nil {
        parts[name + kind] = layer.map { $0 + kind }
      }
    }
    return parts
  }

  /// A part of a canonical tensor: what the file calls it, and its pattern.
  struct Part {
    let name: String
    let pattern: String
  }

  /// The parts of a canonical tensor in their order; none when these files do not have the tensor.
  func parts(of canonical: String) -> [Part] {
    let words = canonical.split(separator: ".", omittingEmptySubsequences: false)
    guard words.count > 2, words[0] == "blocks" else {
      return (parts[canonical] ?? []).map { Part(name: $0, pattern: $0) }
    }
    let pattern = (["blocks", "#"] + words.dropFirst(2)).joined(separator: ".")
    return (parts[pattern] ?? []).map { part in
      // The mark is there once: in the place of the block's number.
      Part(name: part.split(separator: "#").joined(separator: String(words[1])), pattern: part)
    }
  }

  /// Whether the tensors of a pattern may be absent, and are zeros then.
  func mayBeAbsent(_ pattern: String) -> Bool { zeros.contains(pattern) }

  /// Whether a tensor belongs to training alone, or to a classifier.
  func isUnused(_ name: String) -> Bool {
    unused.contains { $0.hasSuffix(".") ? name.hasPrefix($0) : name == $0 }
  }

  /// How many of the patterns this scheme knows.
  func explained(_ patterns: Set<String>) -> Int {
    patterns.reduce(0) { $0 + (vocabulary.contains($1) || isUnused($1) ? 1 : 0) }
  }

  /// A scheme for files that have these tensors inside a larger model, with others beside them.
  func nested(
    in prefix: String, as source: ViTSource, layers: [String: [String]], unused more: [String] = []
  ) -> NamingScheme {
    NamingScheme(
      source,
      parts: parts.mapValues { $0.map { prefix + $0 } }.merging(Self.parts([:], layers)) { $1 },
      zeros: Set(zeros.map { prefix + $0 }), unused: unused.map { prefix + $0 } + more)
  }

  /// A scheme that spells some tensors otherwise, and has no others of some layers.
  func changed(
    as source: ViTSource, tensors: [String: [String]] = [:], layers: [String: [String]] = [:],
    without removed: [String] = []
  ) -> NamingScheme {
    let kept = parts.filter { name, _ in !removed.contains { name.hasPrefix($0) } }
    return NamingScheme(
      source, parts: kept.merging(Self.parts(tensors, layers)) { $1 }, zeros: zeros, unused: unused)
  }
}
