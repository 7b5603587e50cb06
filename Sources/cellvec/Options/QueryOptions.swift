import ArgumentParser
import Faults
import Formats
import Storage

/// What a search looks for.
struct QueryOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Search with this cell.", valueName: "cell")) var cell: Row?
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Search with each cell of an image, its files by role.",
      valueName: "role=file"))
  var image: [String] = []
  @Option(
    help: ArgumentHelp("Of an image the one cell to search with: a label of its mask.", valueName: "label"))
  var object: String?
  @Option(
    help: ArgumentHelp("Weights for --image, should they have moved.", valueName: "name|file"))
  var backbone: String?
  @Option(
    help: ArgumentHelp(
      "Search with each row of a .npy file of float32.", valueName: "file"))
  var vectors: String?
  @Flag(help: "Let --cell be among its own neighbors.") var includeSelf = false

  func validate() throws {
    let given = [cell != nil, vectors != nil, !image.isEmpty].count { $0 }
    if given != 1 { throw ValidationError("expected one of --cell, --image and --vectors, found \(given)") }
    if backbone != nil && image.isEmpty { throw ValidationError("--backbone goes with --image") }
    if object != nil && image.isEmpty { throw ValidationError("--object goes with --image") }
    if includeSelf && cell == nil { throw ValidationError("--include-self goes with --cell") }
  }

  /// The vectors to search with.
  func read(in space: SpaceRecord, of snapshot: borrowing Snapshot, threads: Int) throws -> Queries {
    if let cell {
      let vector = try snapshot.requiredVector(of: cell, in: space)
      return Queries(vectors: vector, count: 1, areNumbered: false, excluded: includeSelf ? nil : cell)
    }
    if !image.isEmpty {
      let query = try ImageQuery(files: image, space: space, backbone: backbone)
      return try query.queries(object: object, threads: threads)
    }
    let matrix = try NPYMatrix(path: vectors ?? "")
    if matrix.count > 0, matrix.dimension != space.dimension {
      throw Fault(
        .usage, matrix.path, expected: "vectors of \(space.dimension) numbers, as in space \"\(space.name)\"",
        found: "\(matrix.dimension)")
    }
    return Queries(
      vectors: matrix.withUnsafeValues { Array($0) }, count: matrix.count, areNumbered: true)
  }
}

/// Vectors to search with.
struct Queries {
  /// - Shape: [count, dimension], row-major.
  let vectors: [Float]
  let count: Int
  /// Whether results say which query they belong to.
  let areNumbered: Bool
  /// What the queries are in their image, which results name; nil for queries that are no objects of an
  /// image.
  var objects: [String]?
  /// The cell that the query is, which is no result.
  var excluded: Row?

  /// The rows that may be found; nil for all.
  func candidates(
    among selection: RowSet?, of space: SpaceRecord, in snapshot: borrowing Snapshot
  ) throws -> RowSet? {
    guard let excluded else { return selection }
    return try (selection ?? snapshot.rows(in: space)).subtracting(RowSet([excluded]))
  }
}
