import ArgumentParser
import Faults
import Filter
import Formats
import Query
import Storage

/// What a search looks for.
struct QueryOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Search with this cell.", valueName: "cell")) var cell: Row?
  @OptionGroup var image: ImageOptions
  @Option(
    help: ArgumentHelp(
      "Search with each row of a .npy file of float32.", valueName: "file"),
    completion: .file(extensions: ["npy"]))
  var vectors: String?
  @Option(
    help: ArgumentHelp(
      "Search with the mean of cells that match.", valueName: "condition"))
  var meanOf: String?
  @Flag(help: ArgumentHelp("Let the cells searched with be among the results.", visibility: .hidden))
  var includeSelf = false
  @Option(
    help: ArgumentHelp("Leave out cells with the value of --cell in a field.", valueName: "field"))
  var excludeSame: String?

  func validate() throws {
    let given = [cell != nil, vectors != nil, image.isGiven, meanOf != nil].count { $0 }
    if given != 1 {
      throw ValidationError("expected one of --cell, --image, --vectors and --mean-of, found \(given)")
    }
    if includeSelf && cell == nil && meanOf == nil {
      throw ValidationError("--include-self goes with --cell and --mean-of")
    }
    if excludeSame != nil && cell == nil { throw ValidationError("--exclude-same goes with --cell") }
  }

  /// Whether the query is the mean of vectors, which none of them need be like.
  var isMean: Bool { meanOf != nil }

  /// The cells with the value that a cell has in a field, or a text of it.
  private func sharing(_ field: String, with cell: Row, in snapshot: borrowing Snapshot) throws -> RowSet {
    let field = try snapshot.requiredField(named: field)
    if let value = try snapshot.requiredCell(at: cell).values[field.id] {
      return try snapshot.rows(field, sharing: value)
    }
    StandardError.writeLine("warning: --exclude-same: cell \(cell) has no value of field \"\(field.name)\"")
    return RowSet()
  }

  /// The vectors to search with.
  func read(in space: SpaceRecord, of snapshot: borrowing Snapshot, threads: Int) throws -> Queries {
    if let cell {
      let vector = try snapshot.requiredVector(of: cell, in: space)
      var excluded = includeSelf ? RowSet() : RowSet([cell])
      if let excludeSame { excluded.formUnion(try sharing(excludeSame, with: cell, in: snapshot)) }
      if includeSelf { excluded.remove(cell) }
      return Queries(vectors: vector, count: 1, areNumbered: false, excluded: excluded)
    }
    if let meanOf {
      let rows = try Filter(meanOf).rows(in: snapshot)
      guard let mean = try snapshot.meanVector(of: rows, in: space) else {
        guard try rows.intersection(snapshot.rows(in: space)).isEmpty else {
          throw Fault(
            .usage, "--mean-of",
            "the mean of the vectors in space \"\(space.name)\" is zero, which has no direction",
            remedy: "search with other cells, or with single ones")
        }
        throw Fault(
          .missingInput, "--mean-of", "no cell that matches has a vector in space \"\(space.name)\"",
          remedy: "count cells with cellvec count --where")
      }
      return Queries(vectors: mean, count: 1, areNumbered: false, excluded: includeSelf ? nil : rows)
    }
    if image.isGiven { return try image.read(in: space, threads: threads) }
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
  /// The cells that are no results, such as the query itself.
  var excluded: RowSet?

  /// What to say of queries that are all zeros, which have no direction that a cosine could compare; nil where none is.
  var warningOfZeros: String? {
    let dimension = count == 0 ? 0 : vectors.count / count
    let zeros = (0..<count).filter { query in
      vectors[query * dimension..<(query + 1) * dimension].allSatisfy { $0 == 0 }
    }
    guard let first = zeros.first else { return nil }
    if zeros.count > 1 {
      return
        "warning: \(zeros.count) queries, such as \(first), are vectors of zeros, which have no direction: "
        + "their similarities to all cells are 0"
    }
    return
      "warning: \(count == 1 ? "the query" : "query \(first)") is a vector of zeros, which has no direction: "
      + "its similarities to all cells are 0"
  }

  /// The rows that may be found; nil for all.
  func candidates(
    among selection: RowSet?, of space: SpaceRecord, in snapshot: borrowing Snapshot
  ) throws -> RowSet? {
    guard let excluded else { return selection }
    return try (selection ?? snapshot.rows(in: space)).subtracting(excluded)
  }
}
