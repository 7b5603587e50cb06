import Kernels
import Randomness
import Testing

private let types = [KERNELS_FLOAT32, KERNELS_FLOAT16, KERNELS_BFLOAT16, KERNELS_INT8]
private let metrics = [KERNELS_DOT, KERNELS_EUCLIDEAN]

/// A matrix of stored numbers, and the values that they have.
private struct StoredRows {
  let type: kernels_scalar
  private(set) var bytes: [UInt8]
  private(set) var values: [Float]

  init(_ rows: [Float], dimension: Int, as type: kernels_scalar) {
    self.type = type
    let (size, count) = (kernels_vector_bytes(type, dimension), rows.count / dimension)
    bytes = [UInt8](repeating: 0, count: count * size)
    kernels_narrow(type, rows, count, dimension, &bytes)
    values = (0..<count).flatMap { [bytes] row in
      var vector = [Float](repeating: 0, count: dimension)
      kernels_widen(type, Array(bytes[row * size..<(row + 1) * size]), dimension, &vector)
      return vector
    }
  }
}

/// A value in double, and what its error in float32 is measured by.
private func inDouble(
  _ metric: kernels_metric, _ query: ArraySlice<Float>, _ row: ArraySlice<Float>
) -> (value: Double, scale: Double) {
  let pairs = zip(query, row).map { (Double($0), Double($1)) }
  if metric == KERNELS_DOT {
    return (pairs.reduce(0) { $0 + $1.0 * $1.1 }, pairs.reduce(0) { $0 + abs($1.0 * $1.1) })
  }
  let distance = pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
  return (distance, distance)
}

private func distances(
  _ isa: kernels_isa, _ metric: kernels_metric, _ queries: [Float], _ rows: StoredRows, dimension: Int,
  slots: [UInt32]? = nil
) -> [Float] {
  let rowCount = slots?.count ?? rows.values.count / dimension
  let queryCount = queries.count / dimension
  var values = [Float](repeating: .nan, count: queryCount * rowCount)
  kernels_distances_on(
    isa, metric, rows.type, queries, queryCount, rows.bytes, slots, rowCount, dimension, &values)
  return values
}

@Suite struct MetricTests {
  @Test(arguments: [Int](1...70) + [128, 384, 770], [1, 1e-3, 1e-22, 1e15] as [Float])
  func valuesAreWithinTheStatedErrorOfDoublePrecision(dimension: Int, scale: Float) {
    var generator = SeededGenerator(seed: UInt64(dimension))
    let queries = (0..<3 * dimension).map { _ in Float(generator.normal()) * scale }
    let numbers = (0..<5 * dimension).map { _ in Float(generator.normal()) * scale }
    for type in types where type != KERNELS_FLOAT16 || (1e-4...1).contains(scale) {
      let rows = StoredRows(numbers, dimension: dimension, as: type)
      for metric in metrics {
        for isa in instructionSets {
          let found = distances(isa, metric, queries, rows, dimension: dimension)
          for query in 0..<3 {
            for row in 0..<5 {
              let expected = inDouble(
                metric, queries[query * dimension..<(query + 1) * dimension],
                rows.values[row * dimension..<(row + 1) * dimension])
              // Of products below the smallest normal number nothing is left but multiples of the smallest of all.
              let error =
                (Double(dimension) / 64 + 9) * 0x1p-24 * expected.scale + Double(dimension) * 0x1p-149
              #expect(abs(Double(found[query * 5 + row]) - expected.value) <= error)
            }
          }
        }
      }
    }
  }

  @Test func whatLeavesTheRangeIsTheLargestNumberAndNothingIsNaN() {
    let query: [Float] = [3e38, -3e38, 1]
    let rows = StoredRows(
      [3e38, -3e38, 0, -3e38, 3e38, 0, 3e38, 3e38, 0, 0, 0, 1], dimension: 3, as: KERNELS_FLOAT32)
    let largest = Float.greatestFiniteMagnitude
    for isa in instructionSets {
      #expect(distances(isa, KERNELS_DOT, query, rows, dimension: 3) == [largest, -largest, 0, 1])
      let apart = distances(isa, KERNELS_EUCLIDEAN, query, rows, dimension: 3)
      #expect(apart[0] == 1 && apart[1] == largest && apart[2] == largest)
      #expect(apart[3] == largest)
      let small = StoredRows([1e-30, 0, 1], dimension: 3, as: KERNELS_FLOAT32)
      #expect(distances(isa, KERNELS_EUCLIDEAN, [0, 0, 1], small, dimension: 3) == [1e-30])
    }
  }

  @Test(arguments: [1, 16, 50, 384]) func everyBatchAndSlotOrderGivesTheSameBits(dimension: Int) {
    var generator = SeededGenerator(seed: 5)
    let queries = (0..<4 * dimension).map { _ in Float(generator.normal()) }
    let numbers = (0..<30 * dimension).map { _ in Float(generator.normal()) }
    let slots = generator.permutation(of: 30).map { UInt32($0) }
    for type in types {
      let rows = StoredRows(numbers, dimension: dimension, as: type)
      for metric in metrics {
        var fused: [Float]?
        for isa in instructionSets {
          let together = distances(isa, metric, queries, rows, dimension: dimension)
          let shuffled = distances(isa, metric, queries, rows, dimension: dimension, slots: slots)
          for query in 0..<4 {
            let vector = Array(queries[query * dimension..<(query + 1) * dimension])
            let alone = distances(isa, metric, vector, rows, dimension: dimension)
            #expect(alone == Array(together[query * 30..<(query + 1) * 30]))
            #expect(slots.map { alone[Int($0)] } == Array(shuffled[query * 30..<(query + 1) * 30]))
          }
          if isa.rawValue >= KERNELS_AVX2.rawValue {
            #expect(together == fused ?? together)
            fused = together
          }
        }
      }
    }
  }
}
