import Glibc
import Kernels
import Randomness
import Testing

private let types = [KERNELS_FLOAT32, KERNELS_FLOAT16, KERNELS_BFLOAT16, KERNELS_INT8]
private let rowsPerGroup = Int(KERNELS_COARSE_ROWS)

/// Stored rows with their coarse copy by one instruction set.
private struct CoarseRows {
  let type: kernels_scalar
  let dimension: Int
  let count: Int
  private(set) var stored: [UInt8]
  /// The values that are stored.
  private(set) var values: [Float]
  private(set) var groups: [UInt8]

  init(_ rows: [Float], dimension: Int, as type: kernels_scalar, on isa: kernels_isa) {
    self.type = type
    self.dimension = dimension
    let size = kernels_vector_bytes(type, dimension)
    count = rows.count / dimension
    stored = [UInt8](repeating: 0, count: count * size)
    kernels_narrow(type, rows, count, dimension, &stored)
    values = (0..<count).flatMap { [stored] row in
      var vector = [Float](repeating: 0, count: dimension)
      kernels_widen(type, Array(stored[row * size..<(row + 1) * size]), dimension, &vector)
      return vector
    }
    groups = [UInt8](repeating: 7, count: (count + 15) / 16 * kernels_coarse_group_bytes(dimension))
    kernels_coarsen_on(isa, type, stored, count, dimension, &groups)
  }

  /// Number i of a coarse row.
  func code(_ i: Int, of row: Int) -> Int {
    Int(groups[place(of: row) + i / 4 * 4 * rowsPerGroup + row % rowsPerGroup * 4 + i % 4]) - 128
  }

  /// |c| cos e and |c| sin e.
  func factors(of row: Int) -> (along: Double, across: Double) {
    let start = place(of: row) + kernels_coarse_width(dimension) * rowsPerGroup + row % rowsPerGroup * 4
    return groups.withUnsafeBytes {
      (
        Double($0.loadUnaligned(fromByteOffset: start, as: Float.self)),
        Double($0.loadUnaligned(fromByteOffset: start + 4 * rowsPerGroup, as: Float.self))
      )
    }
  }

  private func place(of row: Int) -> Int { row / rowsPerGroup * kernels_coarse_group_bytes(dimension) }
}

private func normals(_ count: Int, scale: Float = 1, using generator: inout SeededGenerator) -> [Float] {
  (0..<count).map { _ in Float(generator.normal()) * scale }
}

private func unit(_ vector: [Float]) -> [Float] {
  let norm = vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
  return norm > 0 ? vector.map { Float(Double($0) / norm) } : vector
}

/// Sets of rows that try the bounds: usual ones, nearly equal ones, those with one number far above the others, and
/// lengths from subnormal numbers to the largest.
private func difficultRows(_ count: Int, _ dimension: Int, using generator: inout SeededGenerator) -> [Float]
{
  let base = normals(dimension, using: &generator)
  return (0..<count).flatMap { row -> [Float] in
    var vector = normals(dimension, using: &generator)
    switch row % 8 {
    case 0: vector = zip(base, vector).map { $0 + 1e-3 * $1 }
    case 1: vector = zip(base, vector).map { $0 + 1e-7 * $1 }
    case 2: vector[row % dimension] = 300
    case 3: vector = base
    case 4: vector = vector.map { $0 * Float(sign: .plus, exponent: -133, significand: 1) }
    case 5: vector = zip(base, vector).map { ($0 + 0.05 * $1) * 1e-4 }
    case 6: vector = row % 16 == 6 ? [Float](repeating: 0, count: dimension) : base.map { -$0 }
    default: break
    }
    return vector
  }
}

/// Hits of queries, by an instruction set.
private func hits(
  _ isa: kernels_isa, _ queries: [Float], _ rows: CoarseRows, least: [Float], wanted: [UInt16]? = nil
) -> [[Int]] {
  let count = least.count
  var codes = [Int8](repeating: 0, count: kernels_coarse_query_bytes(count, rows.dimension))
  var shapes = [kernels_coarse_query](repeating: kernels_coarse_query(), count: count)
  kernels_coarsen_queries_on(isa, queries, count, rows.dimension, &codes, &shapes)
  let reaches = (0..<count).map { query in
    withUnsafePointer(to: shapes[query]) { kernels_coarse_reach_of($0, least[query], rows.dimension) }
  }
  var found = [kernels_coarse_hit](repeating: kernels_coarse_hit(), count: count * rows.count)
  let foundCount = kernels_coarse_hits_on(
    isa, codes, shapes, reaches, count, rows.groups, wanted, rows.count, rows.dimension, &found)
  var lists = [[Int]](repeating: [], count: count)
  var last = -1
  for hit in found.prefix(foundCount) {
    let place = Int(hit.query) * rows.count + Int(hit.row)
    #expect(place > last && Int(hit.row) < rows.count)
    last = place
    lists[Int(hit.query)].append(Int(hit.row))
  }
  return lists
}

@Suite struct CoarseTests {
  @Test(arguments: [1, 3, 4, 15, 16, 17, 63, 64, 100, 384, 770])
  func everySetMakesTheSameBytes(dimension: Int) {
    var generator = SeededGenerator(seed: UInt64(dimension))
    let rows = difficultRows(40, dimension, using: &generator)
    for type in types {
      for count in [5, 16, 40] {
        let some = Array(rows.prefix(count * dimension))
        let expected = CoarseRows(some, dimension: dimension, as: type, on: KERNELS_PORTABLE)
        for isa in instructionSets {
          let made = CoarseRows(some, dimension: dimension, as: type, on: isa)
          #expect(made.groups == expected.groups)
        }
      }
    }
  }

  @Test(arguments: [1, 5, 16, 37, 384]) func theAngleIsWithinItsBound(dimension: Int) {
    var generator = SeededGenerator(seed: UInt64(dimension) + 1)
    for type in types {
      let rows = CoarseRows(
        difficultRows(80, dimension, using: &generator), dimension: dimension, as: type, on: KERNELS_PORTABLE)
      for row in 0..<rows.count {
        let (along, across) = rows.factors(of: row)
        var (dot, codes2, values2) = (0.0, 0.0, 0.0)
        for i in 0..<dimension {
          let (c, x) = (Double(rows.code(i, of: row)), Double(rows.values[row * dimension + i]))
          dot += c * x
          codes2 += c * c
          values2 += x * x
        }
        if across >= 1e30 { continue }
        if values2 == 0 {
          #expect(along == 0 && across == 0 && codes2 == 0)
          continue
        }
        #expect(abs(hypot(along, across) / codes2.squareRoot() - 1) < 1e-6)
        // The sine, for the cosine of so small an angle says little of it.
        let sine = max(0, 1 - dot * dot / (codes2 * values2)).squareRoot()
        #expect(sine <= across / codes2.squareRoot() + 1e-7)
        #expect(across / codes2.squareRoot() <= sine + 0.002 || dimension < 16)
      }
    }
  }

  @Test(arguments: [1, 4, 16, 30, 61, 384])
  func noRowThatIsSimilarEnoughIsMissed(dimension: Int) {
    var generator = SeededGenerator(seed: UInt64(dimension) + 2)
    let numbers = difficultRows(75, dimension, using: &generator)
    for isa in instructionSets {
      for type in types {
        let rows = CoarseRows(numbers, dimension: dimension, as: type, on: isa)
        // Rows themselves, their like, and others, as many as leave tiles of every height.
        let queries = (0..<19).map { query -> [Float] in
          let row = Array(rows.values[query * 3 * dimension..<(query * 3 + 1) * dimension])
          if query % 3 == 0 { return unit(row) }
          let noise = normals(dimension, scale: query % 3 == 1 ? 0.01 : 1, using: &generator)
          return unit(zip(row, noise).map { $0 + $1 })
        }
        let flat = queries.flatMap { $0 }
        var similarities = [Float](repeating: 0, count: queries.count * rows.count)
        kernels_cosine_on(
          isa, type, flat, queries.count, rows.stored, nil, rows.count, dimension, &similarities)
        for rank in [0, 3, 20, 74] {
          let least = queries.indices.map { query in
            similarities[query * rows.count..<(query + 1) * rows.count].sorted(by: >)[rank]
          }
          let found = hits(isa, flat, rows, least: least)
          for query in queries.indices {
            let near = (0..<rows.count).filter { similarities[query * rows.count + $0] >= least[query] }
            #expect(Set(near).isSubset(of: found[query]))
            let alone = hits(isa, queries[query], rows, least: [least[query]])
            #expect(Set(near).isSubset(of: alone[0]))
          }
        }
      }
    }
  }

  /// Angles of query and row that are as wide as they can be, and a similarity for which three of them exceed pi.
  @Test(arguments: [16_384, 4_000]) func widestAnglesHideNoRowOnTheOtherSide(dimension: Int) {
    // Rounded to one number each, which point away from one another.
    var row = [Float](repeating: 0.499, count: dimension)
    row[0] = -127
    var query = row
    query[0] = 127
    query = unit(query)
    for isa in instructionSets {
      let rows = CoarseRows(row, dimension: dimension, as: KERNELS_FLOAT32, on: isa)
      var similarity: Float = 0
      kernels_cosine_on(isa, KERNELS_FLOAT32, query, 1, rows.stored, nil, 1, dimension, &similarity)
      for least in [similarity, similarity - 0.05, -0.79] where least <= similarity {
        #expect(hits(isa, query, rows, least: [least]) == [[0]])
      }
    }
  }

  @Test func aZeroQueryAndFarThresholdsReachEveryRow() {
    var generator = SeededGenerator(seed: 3)
    let dimension = 40
    let query = unit(normals(dimension, using: &generator))
    for isa in instructionSets {
      let rows = CoarseRows(
        difficultRows(33, dimension, using: &generator), dimension: dimension, as: KERNELS_FLOAT32, on: isa)
      let zero = [Float](repeating: 0, count: dimension)
      let found = hits(isa, zero + query + query, rows, least: [0.9, -1, -0.81])
      #expect(found == Array(repeating: Array(0..<33), count: 3))
    }
  }

  @Test func hitsAreFewWhereNeighborsAre() {
    var generator = SeededGenerator(seed: 4)
    let dimension = 384
    let rows = CoarseRows(
      normals(500 * dimension, using: &generator), dimension: dimension, as: KERNELS_FLOAT32,
      on: kernels_active_isa())
    let queries = (0..<12).flatMap { unit(Array(rows.values[$0 * dimension..<($0 + 1) * dimension])) }
    for isa in instructionSets {
      let found = hits(isa, queries, rows, least: Array(repeating: 0.3, count: 12))
      #expect(found == (0..<12).map { [$0] })
    }
  }

  @Test func rowsThatAreNotWantedAreNoHits() {
    var generator = SeededGenerator(seed: 5)
    let dimension = 32
    let rows = CoarseRows(
      normals(50 * dimension, using: &generator), dimension: dimension, as: KERNELS_FLOAT32,
      on: kernels_active_isa())
    let query = unit(normals(dimension, using: &generator))
    let wanted: [UInt16] = [0x8001, 0, 0xFFFF, 0xFFFF]
    for isa in instructionSets {
      let found = hits(isa, query, rows, least: [-1], wanted: wanted)
      #expect(found == [[0, 15] + Array(32..<50)])
    }
  }
}
