import Formats
import Kernels

/// One embedding space: the recipe and backbone that made its vectors, and their dimension. Vectors of two
/// spaces are never compared.
package struct SpaceRecord: Sendable, Equatable, Encodable {
  /// The largest dimension that a space can have.
  package static let dimensionLimit = Int(KERNELS_MOST_NUMBERS)

  /// How many tables of one path merges bring together: any more are known by the path alone.
  static let tablesPerPath = 64

  /// How many vectors lie together in a block, which is written as a whole.
  /// - Parameter dimension: 1 to `dimensionLimit`.
  package static func rowsPerBlock(dimension: Int, scalar: ScalarType = .float32) -> Int {
    BlockLayout(dimension: dimension, scalar: scalar).rowsPerBlock
  }

  /// The same of the space's own vectors.
  package var rowsPerBlock: Int { Self.rowsPerBlock(dimension: dimension, scalar: scalar) }

  /// Bytes of a vector.
  package var vectorByteCount: Int { scalar.byteCount(dimension: dimension) }

  /// The space's dense number inside its database.
  package let id: UInt16
  package internal(set) var name: String
  package let dimension: Int
  /// Absent for float32, so that the records of such spaces are what they always were.
  private let scalarType: ScalarType?
  /// The recipe as canonical JSON; nil for imported vectors.
  package let recipe: String?
  /// The backbone's weights, as 32 hexadecimal digits; nil for imported vectors.
  package let backboneHash: String?
  /// Where the backbone's weights were last read from: a file, or a name of the registry of models.
  package private(set) var backbonePath: String?
  /// Which of several models in that file they are; nil for the usual one.
  package private(set) var backboneBranch: String?
  /// The numbers that the backbone multiplied in the runs that added vectors, sorted: "bfloat16", "float32"; nil for
  /// imported vectors, and where no run has noted it.
  package private(set) var precisions: [String]?
  /// The tables that ingest read metadata from for its cells, in order of their paths and digests; nil where it
  /// read none.
  package private(set) var tables: [SourceTable]?

  package init(
    id: UInt16, name: String, dimension: Int, scalar: ScalarType = .float32, recipe: String? = nil,
    backboneHash: String? = nil
  ) {
    self.id = id
    self.name = name
    self.dimension = dimension
    scalarType = scalar == .float32 ? nil : scalar
    self.recipe = recipe
    self.backboneHash = backboneHash
  }

  /// The numbers that the vectors are kept in.
  package var scalar: ScalarType { scalarType ?? .float32 }

  /// What finds the backbone again; nil for imported vectors.
  package var backbone: BackboneReference? {
    get { backbonePath.map { BackboneReference(path: $0, branch: backboneBranch) } }
    set { (backbonePath, backboneBranch) = (newValue?.path, newValue?.branch) }
  }

  /// Notes the precision of a run.
  mutating func add(precision: String) {
    precisions = Set((precisions ?? []) + [precision]).sorted()
  }

  /// Notes a table that was read, in place of what was read from the same path before.
  mutating func add(_ table: SourceTable) {
    tables = ((tables ?? []).filter { $0.path != table.path } + [table]).sorted { $0.path < $1.path }
  }

  /// Notes a table that another database has read: on another machine, the same path may lead to another one.
  mutating func add(merged table: SourceTable) {
    let known = tables ?? []
    guard !known.contains(table), known.count(where: { $0.path == table.path }) < Self.tablesPerPath else {
      return
    }
    tables = (known + [table]).sorted { ($0.path, $0.digest) < ($1.path, $1.digest) }
  }
}

extension SpaceRecord: DocumentContent {
  init(_ value: JSONValue) throws {
    id = try value["id"]
    name = try value["name"]
    dimension = try value["dimension"]
    scalarType = try value[ifPresent: "scalarType"]
    recipe = try value[ifPresent: "recipe"]
    backboneHash = try value[ifPresent: "backboneHash"]
    backbonePath = try value[ifPresent: "backbonePath"]
    backboneBranch = try value[ifPresent: "backboneBranch"]
    precisions = try value[ifPresent: "precisions"]
    tables = try value[ifPresent: "tables"]
  }
}

/// What leads to the weights of a backbone.
package struct BackboneReference: Sendable, Equatable {
  /// A file, or a name of the registry of models.
  package let path: String
  /// Which of several models in the file; nil for the usual one.
  package let branch: String?

  package init(path: String, branch: String? = nil) {
    self.path = path
    self.branch = branch
  }
}

/// What became of one image in one space.
package struct IngestOutcome: Sendable, Equatable {
  /// Objects that the recipe found.
  package let found: Int
  /// Cells embedded into the space.
  package let kept: Int
  /// Objects left out, by reason.
  package let dropped: [String: Int]
  /// Digest of the label mask that the objects came from, as 32 hexadecimal digits; nil without one.
  package let mask: String?
  /// The file of that mask, as given on the command line; nil without one, and where an earlier program has not noted it.
  package let maskPath: String?

  package init(found: Int, kept: Int, dropped: [String: Int], mask: String? = nil, maskPath: String? = nil) {
    self.found = found
    self.kept = kept
    self.dropped = dropped
    self.mask = mask
    self.maskPath = maskPath
  }
}

/// What is known of a head without its weights, which may be hundreds of megabytes.
package struct HeadEntry: Sendable, Equatable {
  package let name: String
  package let space: UInt16
  /// As of `HeadRecord`.
  package let summary: String
}

/// A trained head as the database keeps it: what is needed to list it, and its file as a whole.
package struct HeadRecord: Sendable, Equatable {
  /// Longest name in UTF-8 bytes: the longest key that LMDB takes.
  package static let nameLimit = 511

  package let name: String
  package let space: UInt16
  /// JSON: classes, folds, seed, scores, thresholds (schema/store.md, "heads").
  package let summary: String
  /// A safetensors file with the head's weights and scaler.
  package let weights: [UInt8]

  package init(name: String, space: UInt16, summary: String, weights: [UInt8]) {
    self.name = name
    self.space = space
    self.summary = summary
    self.weights = weights
  }
}
