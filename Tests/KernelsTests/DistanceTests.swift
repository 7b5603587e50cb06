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

/// A matrix of stored numbers, and the values that they have.
private struct StoredRows {
  let type: kernels_scalar
  /// Bytes before the first number, to move it off the boundaries that memory gives.
  private(set) var bytes: [UInt8]
  let offset: Int
  let values: [Float]

  init(_ rows: [Float], dimension: Int, as type: kernels_scalar, offset: Int = 0) {
    self.type = type
    self.offset = offset
    let (size, count) = (kernels_vector_bytes(type, dimension), rows.count / dimension)
    bytes = [UInt8](repeating: 0xFF, count: offset + count * size)
    bytes.withUnsafeMutableBytes { kernels_narrow(type, rows, count, dimension, $0.baseAddress! + offset) }
    values = bytes.withUnsafeBytes { bytes in
      (0..<count).flatMap { row in
        var vector = [Float](repeating: 0, count: dimension)
        kernels_widen(type, bytes.baseAddress! + offset + row * size, dimension, &vector)
        return vector
      }
    }
  }
}

private func cosines(
  _ isa: kernels_isa = kernels_active_isa(), queries: [Float], rows: StoredRows, slots: [UInt32]? = nil,
  dimension: Int
) -> [Float] {
  let rowCount = slots?.count ?? rows.values.count / dimension
  let queryCount = queries.count / dimension
  var similarities = [Float](repeating: .nan, count: queryCount * rowCount)
  rows.bytes.withUnsafeBytes { bytes in
    guard let base = bytes.baseAddress else { return }
    if let slots {
      kernels_cosine_on(
        isa, rows.type, queries, queryCount, base + rows.offset, slots, rowCount, dimension, &similarities)
    } else {
      kernels_cosine_on(
        isa, rows.type, queries, queryCount, base + rows.offset, nil, rowCount, dimension, &similarities)
    }
  }
  return similarities
}

private func errorBound(_ dimension: Int) -> Double { (3 * Double(dimension) / 32 + 11) * 0x1p-24 }

private let types = [KERNELS_FLOAT32, KERNELS_FLOAT16, KERNELS_BFLOAT16, KERNELS_INT8]
/// All that the machine runs.
private let sets = (0...kernels_best_isa().rawValue).map { kernels_isa($0) }

@Suite struct DistanceTests {
  @Test(arguments: [Int](1...70) + [384, 768])
  func similarityIsWithinTheStatedErrorOfDoublePrecision(dimension: Int) {
    var generator = SeededGenerator(seed: UInt64(dimension))
    let queries = (0..<6).flatMap { _ in unit(vectors(1, dimension, using: &generator)) }
    for type in types {
      let rows = StoredRows(vectors(9, dimension, using: &generator), dimension: dimension, as: type)
      let expected = cosinesInDouble(queries: queries, rows: rows.values, dimension: dimension)
      for isa in sets {
        let found = cosines(isa, queries: queries, rows: rows, dimension: dimension)
        for (found, expected) in zip(found, expected) {
          #expect(abs(Double(found) - expected) <= errorBound(dimension))
        }
      }
    }
  }

  /// Scales of float32; float16 is tried with those that it holds, from subnormal numbers on.
  @Test(
    arguments: [
      .leastNonzeroMagnitude * 7, 1e-38, 1e-25, 1e-18, 1e-12, 2e-7, 1e-5, 1, 1e4, 1e12, 1e18, 1e25, 1e30,
      1e37,
    ]
      as [Float])
  func rowsOfAnyFiniteLengthAreExact(scale: Float) {
    var generator = SeededGenerator(seed: 7)
    for type in types where type != KERNELS_FLOAT16 || (1e-8...1e4).contains(scale) {
      for dimension in [3, 37, 384] {
        let queries = unit(vectors(1, dimension, using: &generator))
        let rows = StoredRows(
          vectors(5, dimension, scale: scale, using: &generator), dimension: dimension, as: type)
        let expected = cosinesInDouble(queries: queries, rows: rows.values, dimension: dimension)
        for isa in sets {
          let found = cosines(isa, queries: queries, rows: rows, dimension: dimension)
          for (found, expected) in zip(found, expected) {
            #expect(abs(Double(found) - expected) <= errorBound(dimension))
          }
        }
      }
    }
  }

  @Test func alternatingSignsAndMixedMagnitudesStayWithinTheError() {
    let dimension = 96
    let row = (0..<dimension).map { Float($0 % 2 == 0 ? 1 : -1) * ($0 % 3 == 0 ? 1e18 : 1) }
    let query = unit((0..<dimension).map { Float($0 % 5) - 2 })
    for type in [KERNELS_FLOAT32, KERNELS_BFLOAT16] {
      let rows = StoredRows(row, dimension: dimension, as: type)
      let expected = cosinesInDouble(queries: query, rows: rows.values, dimension: dimension)
      for isa in sets {
        let found = cosines(isa, queries: query, rows: rows, dimension: dimension)
        #expect(abs(Double(found[0]) - expected[0]) <= errorBound(dimension))
      }
    }
  }

  @Test(arguments: [5, 21, 48]) func zeroVectorsGiveZeroAndParallelOnesNeverLeaveTheRange(dimension: Int) {
    let query = unit([Float](repeating: 0.3, count: dimension))
    let zero = [Float](repeating: 0, count: dimension)
    for type in types {
      let small: Float = type == KERNELS_FLOAT16 ? -7e-5 : -7e-30
      let rows = StoredRows(
        zero + query.map { $0 * 7 } + query.map { $0 * small }, dimension: dimension, as: type)
      for isa in sets {
        let found = cosines(isa, queries: query + zero, rows: rows, dimension: dimension)
        #expect(found[0] == 0 && found[3...].allSatisfy { $0 == 0 && $0.sign == .plus })
        #expect(found[1] <= 1 && found[1] > 0.999_99)
        #expect(found[2] >= -1 && found[2] < -0.999_99)
      }
    }
  }

  @Test(arguments: [1, 7, 8, 16, 40, 61])
  func everyBatchAndSlotOrderGivesTheSameBits(dimension: Int) {
    var generator = SeededGenerator(seed: 11)
    let rowCount = 107
    let queryCount = 10
    let queries = (0..<queryCount).flatMap { _ in unit(vectors(1, dimension, using: &generator)) }
    for type in types {
      let rows = StoredRows(vectors(rowCount, dimension, using: &generator), dimension: dimension, as: type)
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
        for count in 1...20 {
          let few = cosines(
            isa, queries: queries, rows: rows, slots: Array(slots[..<count]), dimension: dimension)
          for query in 0..<queryCount {
            #expect(
              few[query * count..<(query + 1) * count]
                == shuffled[query * rowCount..<query * rowCount + count])
          }
        }
      }
    }
  }

  @Test(arguments: [1, 16, 61, 384]) func rowsThatLieAnywhereGiveTheSameBits(dimension: Int) {
    var generator = SeededGenerator(seed: 13)
    let query = unit(vectors(1, dimension, using: &generator))
    for type in types {
      // Longer than a strip, with a row of zeros, and one whose squares leave float32, or that float16 just holds.
      let numbers =
        vectors(100, dimension, using: &generator) + [Float](repeating: 0, count: dimension)
        + vectors(1, dimension, scale: type == KERNELS_FLOAT16 ? 1e4 : 1e25, using: &generator)
      let rows = StoredRows(numbers, dimension: dimension, as: type)
      let order = generator.permutation(of: 102).map { Int($0) }
      for isa in sets {
        let expected = cosines(isa, queries: query, rows: rows, dimension: dimension)
        for count in [0, 1, 3, 4, 5, 11, 102] {
          let found = rows.bytes.withUnsafeBytes { bytes in
            let pointers = order[..<count].map {
              bytes.baseAddress! + $0 * kernels_vector_bytes(type, dimension) as UnsafeRawPointer?
            }
            var similarities = [Float](repeating: .nan, count: count)
            kernels_cosine_of_rows(isa, type, query, pointers, count, dimension, &similarities)
            return similarities
          }
          #expect(found == order[..<count].map { expected[$0] })
        }
      }
    }
  }

  @Test(arguments: [1, 15, 16, 17, 384])
  func anyFiniteVectorIsScaledToUnitLength(dimension: Int) {
    var generator = SeededGenerator(seed: 14)
    for scale in [Float.leastNonzeroMagnitude * 1000, 1e-30, 1, 1e38] {
      let vector = vectors(1, dimension, using: &generator).map { max(-3, min(3, $0)) * scale }
      var found = [Float](repeating: .nan, count: dimension)
      let norm2 = kernels_scale_to_unit(dimension, vector, &found)
      for isa in sets {
        var same = [Float](repeating: .nan, count: dimension)
        #expect(kernels_scale_to_unit_on(isa, dimension, vector, &same) == norm2 && same == found)
      }
      let expected = vector.reduce(0) { $0 + Double($1) * Double($1) }
      #expect(abs(norm2 - expected) <= 1e-14 * expected)
      // A rounding to float32, and some in double.
      for (found, number) in zip(found, vector) {
        #expect(abs(Double(found) - Double(number) / expected.squareRoot()) <= 0x1.01p-25)
      }
    }
    var zeros = [Float](repeating: .nan, count: dimension)
    #expect(kernels_scale_to_unit(dimension, [Float](repeating: 0, count: dimension), &zeros) == 0)
    #expect(zeros.allSatisfy { $0 == 0 })
    for number in [Float.nan, .infinity, -.infinity] {
      var broken = [Float](repeating: 1, count: dimension)
      broken[dimension - 1] = number
      #expect(!kernels_scale_to_unit(dimension, broken, &zeros).isFinite)
    }
  }

  @Test(arguments: [3, 16, 50, 384]) func setsThatFuseMultiplyAndAddAgreeInEveryBit(dimension: Int) {
    var generator = SeededGenerator(seed: 12)
    let queries = (0..<5).flatMap { _ in unit(vectors(1, dimension, using: &generator)) }
    for type in types {
      let rows = StoredRows(vectors(31, dimension, using: &generator), dimension: dimension, as: type)
      let fused = sets.dropFirst().map { cosines($0, queries: queries, rows: rows, dimension: dimension) }
      for found in fused { #expect(found == fused[0]) }
    }
  }

  @Test(arguments: [5, 29]) func unalignedPointersGiveTheSameBits(dimension: Int) {
    var generator = SeededGenerator(seed: 3)
    let queries = unit(vectors(1, dimension, using: &generator))
    let numbers = vectors(9, dimension, using: &generator)
    for type in types {
      for isa in sets {
        let aligned = cosines(
          isa, queries: queries, rows: StoredRows(numbers, dimension: dimension, as: type),
          dimension: dimension)
        for shift in 1..<8 {
          let shifted = StoredRows(
            numbers, dimension: dimension, as: type, offset: shift * kernels_vector_bytes(type, 1))
          #expect(cosines(isa, queries: queries, rows: shifted, dimension: dimension) == aligned)
        }
      }
    }
  }

  @Test func noQueriesOrNoRowsTouchNothing() {
    for type in types {
      for isa in sets {
        #expect(
          cosines(isa, queries: [], rows: StoredRows([1, 2], dimension: 2, as: type), dimension: 2) == [])
        #expect(
          cosines(isa, queries: [1, 0], rows: StoredRows([], dimension: 2, as: type), dimension: 2) == [])
      }
    }
  }
}
