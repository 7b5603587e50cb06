import Kernels
import Randomness
import Testing

/// Similarities in double precision, of the unit query that the kernel is given.
private func cosinesInDouble(queries: [Float], rows: [Float], dimension: Int) -> [Double] {
  stride(from: 0, to: queries.count, by: dimension).flatMap { query in
    stride(from: 0, to: rows.count, by: dimension).map { row in
      var dot = 0.0
      var norm2 = 0.0
      for i in 0..<dimension {
        dot += Double(queries[query + i]) * Double(rows[row + i])
        norm2 += Double(rows[row + i]) * Double(rows[row + i])
      }
      return norm2 > 0 ? dot / norm2.squareRoot() : 0
    }
  }
}

private func unit(_ vector: [Float]) -> [Float] {
  let norm = vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
  return norm > 0 ? vector.map { Float(Double($0) / norm) } : vector
}

private func vectors(
  _ count: Int, _ dimension: Int, scale: Float = 1, using generator: inout SeededGenerator
) -> [Float] {
  (0..<count * dimension).map { _ in Float(generator.normal()) * scale }
}

private func cosines(
  _ isa: kernels_isa = kernels_active_isa(), queries: [Float], rows: [Float], slots: [UInt32]? = nil,
  dimension: Int
) -> [Float] {
  let rowCount = slots?.count ?? rows.count / dimension
  let queryCount = queries.count / dimension
  var similarities = [Float](repeating: .nan, count: queryCount * rowCount)
  if let slots {
    kernels_cosine_f32_on(isa, queries, queryCount, rows, slots, rowCount, dimension, &similarities)
  } else {
    kernels_cosine_f32_on(isa, queries, queryCount, rows, nil, rowCount, dimension, &similarities)
  }
  return similarities
}

private func errorBound(_ dimension: Int) -> Double { (3 * Double(dimension) / 16 + 10) * 0x1p-24 }

private let sets = [KERNELS_PORTABLE, kernels_active_isa()]

@Suite struct DistanceTests {
  @Test(arguments: [Int](1...70) + [384, 768])
  func similarityIsWithinTheStatedErrorOfDoublePrecision(dimension: Int) {
    var generator = SeededGenerator(seed: UInt64(dimension))
    let queries = (0..<3).flatMap { _ in unit(vectors(1, dimension, using: &generator)) }
    let rows = vectors(6, dimension, using: &generator)
    let expected = cosinesInDouble(queries: queries, rows: rows, dimension: dimension)
    for isa in sets {
      let found = cosines(isa, queries: queries, rows: rows, dimension: dimension)
      for (found, expected) in zip(found, expected) {
        #expect(abs(Double(found) - expected) <= errorBound(dimension))
      }
    }
  }

  @Test(
    arguments: [.leastNonzeroMagnitude * 7, 1e-38, 1e-25, 1e-18, 1e-12, 1, 1e12, 1e18, 1e25, 1e30, 1e37]
      as [Float])
  func rowsOfAnyFiniteLengthAreExact(scale: Float) {
    var generator = SeededGenerator(seed: 7)
    for dimension in [3, 37, 384] {
      let queries = unit(vectors(1, dimension, using: &generator))
      let rows = vectors(5, dimension, scale: scale, using: &generator)
      let expected = cosinesInDouble(queries: queries, rows: rows, dimension: dimension)
      for isa in sets {
        let found = cosines(isa, queries: queries, rows: rows, dimension: dimension)
        for (found, expected) in zip(found, expected) {
          #expect(abs(Double(found) - expected) <= errorBound(dimension))
        }
      }
    }
  }

  @Test func alternatingSignsAndMixedMagnitudesStayWithinTheError() {
    let dimension = 96
    let row = (0..<dimension).map { Float($0 % 2 == 0 ? 1 : -1) * ($0 % 3 == 0 ? 1e18 : 1) }
    let query = unit((0..<dimension).map { Float($0 % 5) - 2 })
    let expected = cosinesInDouble(queries: query, rows: row, dimension: dimension)
    for isa in sets {
      let found = cosines(isa, queries: query, rows: row, dimension: dimension)
      #expect(abs(Double(found[0]) - expected[0]) <= errorBound(dimension))
    }
  }

  @Test func zeroVectorsGiveZeroAndParallelOnesNeverLeaveTheRange() {
    let dimension = 21
    let query = unit([Float](repeating: 0.3, count: dimension))
    let zero = [Float](repeating: 0, count: dimension)
    let rows = zero + query.map { $0 * 7 } + query.map { $0 * -7e-30 }
    for isa in sets {
      let found = cosines(isa, queries: query + zero, rows: rows, dimension: dimension)
      #expect(found[0] == 0 && found[3...].allSatisfy { $0 == 0 && $0.sign == .plus })
      #expect(found[1] <= 1 && found[1] > 0.999_999)
      #expect(found[2] >= -1 && found[2] < -0.999_999)
    }
  }

  @Test(arguments: [1, 7, 8, 40, 61])
  func everyBatchAndSlotOrderGivesTheSameBits(dimension: Int) {
    var generator = SeededGenerator(seed: 11)
    let rowCount = 107
    let queryCount = 10
    let queries = (0..<queryCount).flatMap { _ in unit(vectors(1, dimension, using: &generator)) }
    let rows = vectors(rowCount, dimension, using: &generator)
    let slots = generator.permutation(of: rowCount).map { UInt32($0) }
    for isa in sets {
      let together = cosines(isa, queries: queries, rows: rows, dimension: dimension)
      let shuffled = cosines(isa, queries: queries, rows: rows, slots: slots, dimension: dimension)
      for query in 0..<queryCount {
        let queryVector = Array(queries[query * dimension..<(query + 1) * dimension])
        let alone = cosines(isa, queries: queryVector, rows: rows, dimension: dimension)
        #expect(alone == Array(together[query * rowCount..<(query + 1) * rowCount]))
        let slotted = Array(shuffled[query * rowCount..<(query + 1) * rowCount])
        #expect(slotted == slots.map { alone[Int($0)] })
      }
      for batch in 2...9 {
        let some = cosines(
          isa, queries: Array(queries[..<(batch * dimension)]), rows: rows, dimension: dimension)
        #expect(some == Array(together[..<(batch * rowCount)]))
      }
    }
  }

  @Test func unalignedPointersGiveTheSameBits() {
    var generator = SeededGenerator(seed: 3)
    let dimension = 29
    let queries = unit(vectors(1, dimension, using: &generator))
    let rows = vectors(9, dimension, using: &generator)
    for isa in sets {
      let aligned = cosines(isa, queries: queries, rows: rows, dimension: dimension)
      for shift in 1..<8 {
        let padding = [Float](repeating: .nan, count: shift)
        let found = (padding + rows).withUnsafeBufferPointer { shifted in
          var similarities = [Float](repeating: .nan, count: 9)
          kernels_cosine_f32_on(
            isa, queries, 1, shifted.baseAddress! + shift, nil, 9, dimension, &similarities)
          return similarities
        }
        #expect(found == aligned)
      }
    }
  }

  @Test func noQueriesOrNoRowsTouchNothing() {
    for isa in sets {
      #expect(cosines(isa, queries: [], rows: [1, 2], dimension: 2) == [])
      #expect(cosines(isa, queries: [1, 0], rows: [], dimension: 2) == [])
    }
  }
}
