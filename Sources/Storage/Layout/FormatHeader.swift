import Faults
import Formats

/// The format version and feature flags of a database, table "header" key "format".
struct FormatHeader: Encodable, Equatable {
  static let currentVersion = 1
  static let key = Key().appending("format")
  /// A space has an index: who changes vectors must take their rows out of it. An index that was made with this flag has
  /// one code of each row, and its record fewer keys.
  static let earlierIndexFlag = "index"
  /// The same, of an index whose rows may have two codes.
  static let indexFlag = "index-2"
  /// A space has an index that is being built: who changes vectors that it has must drop it.
  static let unfinishedIndexFlag = "unfinished-index"
  /// A space has a graph: as for an index, and its blocks are none of the index.
  static let graphFlag = "graph"

  static let knownReaderFlags = Set(ScalarType.allCases.compactMap(\.readerFlag))
  /// Flags that say which indexes there are.
  static let indexFlags: Set = [earlierIndexFlag, indexFlag, unfinishedIndexFlag, graphFlag]
  static let knownWriterFlags = indexFlags

  let version: Int
  /// Features that a reader must know to read this database right, sorted.
  private(set) var readerFlags: [String]
  /// Features that a writer must know besides.
  var writerFlags: [String]
  let createdBy: String

  static let current = FormatHeader(
    version: currentVersion, readerFlags: [], writerFlags: [], createdBy: "cellvec \(storageVersion)")

  /// Sets the flags that say in what numbers spaces keep their vectors.
  mutating func noteScalars(of spaces: [SpaceRecord]) {
    let needed = spaces.compactMap(\.scalar.readerFlag)
    readerFlags = Set(readerFlags).subtracting(FormatHeader.knownReaderFlags).union(needed).sorted()
  }

  /// Refuses a database that this program would misread or damage.
  func requireSupport(path: String, forWriting: Bool) throws {
    let unknown =
      readerFlags.filter { !FormatHeader.knownReaderFlags.contains($0) }
      + (forWriting ? writerFlags.filter { !FormatHeader.knownWriterFlags.contains($0) } : [])
    guard version > FormatHeader.currentVersion || !unknown.isEmpty else { return }
    let found =
      unknown.isEmpty ? "version \(version)" : "version \(version) with \(unknown.joined(separator: ", "))"
    throw Fault(
      .badData, path, expected: "database format version \(FormatHeader.currentVersion)", found: found,
      remedy: "use the cellvec that wrote it (\(createdBy)) or a newer one")
  }
}

extension ScalarType {
  /// Reader flag of a database with a space of the type; nil for the one that every program knows.
  var readerFlag: String? {
    switch self {
    case .float32: nil
    case .float16, .bfloat16: "half-vectors"
    case .int8: "byte-vectors"
    }
  }
}

extension FormatHeader: DocumentContent {
  init(_ value: JSONValue) throws {
    try self.init(
      version: value["version"], readerFlags: value["readerFlags"], writerFlags: value["writerFlags"],
      createdBy: value["createdBy"])
  }
}

/// The version of cellvec that writes databases.
package let storageVersion = "0.1.0"

/// Counters of numbers given out, table "header".
enum Counter: String {
  case nextRow = "next_row"
  case nextImage = "next_image"

  var key: Key { Key().appending(rawValue) }
}
