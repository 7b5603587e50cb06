import Kernels
import Testing

/// Below, at and beyond a vector of eight, and widths of real models.
private let widths = [1, 3, 7, 8, 9, 31, 64, 197, 384, 785]

@Suite struct DotsTests {
  @Test(arguments: instructionSets, widths)
  func equalSumsInDouble(isa: kernels_isa, width: Int) {
    let (count, rows, stride, outStride) = (2, 3, width + 5, 4)
    let a = normals(count * width, seed: 1)
    let x = normals(rows * stride, seed: 2)
    var out = [Float](repeating: -7, count: count * outStride)
    kernels_dots_on(isa, count, a, rows, x, stride, width, &out, outStride)
    for i in 0..<count {
      for j in 0..<rows {
        let terms = (0..<width).map { Double(a[i * width + $0]) * Double(x[j * stride + $0]) }
        let bound = 1e-6 * terms.reduce(0) { $0 + abs($1) }
        #expect(abs(Double(out[i * outStride + j]) - terms.reduce(0, +)) <= bound)
      }
      #expect(out[i * outStride + rows] == -7, "what lies between the rows")
    }
  }

  @Test(arguments: instructionSets)
  func aRowDoesNotDependOnTheOthers(isa: kernels_isa) {
    let (count, rows, width) = (2, 5, 37)
    let a = normals(count * width, seed: 1)
    let x = normals(rows * width, seed: 2)
    var together = [Float](repeating: 0, count: count * rows)
    kernels_dots_on(isa, count, a, rows, x, width, width, &together, rows)
    for row in 0..<rows {
      var alone = [Float](repeating: 0, count: count)
      kernels_dots_on(isa, count, a, 1, Array(x[row * width..<(row + 1) * width]), width, width, &alone, 1)
      #expect(alone == [together[row], together[rows + row]])
    }
  }
}

@Suite struct WeightedSumTests {
  @Test(arguments: instructionSets, widths)
  func equalSumsInDouble(isa: kernels_isa, width: Int) {
    let (count, rows) = (2, 50)
    let weights = normals(count * rows, seed: 1)
    let x = normals(rows * width, seed: 2)
    var out = [Float](repeating: .nan, count: count * width)
    kernels_weighted_sums_on(isa, count, weights, rows, width, x, &out)
    for index in out.indices {
      let (i, column) = (index / width, index % width)
      let terms = (0..<rows).map { Double(weights[i * rows + $0]) * Double(x[$0 * width + column]) }
      // Fifty roundings of partial sums.
      let bound = 50 * 0x1p-24 * terms.reduce(0) { $0 + abs($1) }
      #expect(abs(Double(out[index]) - terms.reduce(0, +)) <= bound)
    }
  }

  @Test(arguments: instructionSets)
  func noRowsAreZeros(isa: kernels_isa) {
    var out = [Float](repeating: .nan, count: 6)
    kernels_weighted_sums_on(isa, 2, nil, 0, 3, nil, &out)
    #expect(out == [Float](repeating: 0, count: 6))
  }

  @Test(arguments: instructionSets)
  func notANumberStaysInItsColumn(isa: kernels_isa) {
    var x = normals(4 * 11, seed: 1)
    x[2 * 11 + 5] = .nan
    var out = [Float](repeating: 0, count: 11)
    kernels_weighted_sums_on(isa, 1, [0.25, 0.25, 0, 0.5], 4, 11, x, &out)
    for column in 0..<11 { #expect(out[column].isNaN == (column == 5)) }
  }
}
