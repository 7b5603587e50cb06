import Glibc
import Kernels
import Testing

private let numbers = [KERNELS_F32, KERNELS_BF16]

/// Below, at and beyond words, panels and tiles of every instruction set.
private let shapes: [(rows: Int, inputs: Int, outputs: Int)] = [
  (1, 1, 1), (1, 2, 7), (2, 3, 8), (3, 5, 9), (4, 16, 16), (5, 7, 31), (6, 64, 32), (7, 33, 33), (12, 65, 40),
  (13, 31, 64), (25, 48, 65), (40, 192, 96),
]

@Suite struct MatmulTests {
  @Test(arguments: instructionSets, numbers)
  func equalsSumsInDouble(isa: kernels_isa, number: kernels_number) {
    for (rows, inputs, outputs) in shapes {
      let weights = normals(inputs * outputs, seed: 1)
      let bias = normals(outputs, seed: 2)
      let x = normals(rows * inputs, seed: 3)
      let old = normals(rows * outputs, seed: 4)
      for bias in [[], bias] {
        let product = PackedProduct(
          isa, number, weights: weights, bias: bias, inputs: inputs, outputs: outputs)
        let stored = product.apply(to: x, rows: rows)
        let rounded = product.apply(to: x, rows: rows, as: KERNELS_BF16)
        let added = product.apply(to: x, rows: rows, KERNELS_RESIDUAL, over: old)
        #expect(stored.gapsAreUntouched && rounded.gapsAreUntouched && added.gapsAreUntouched)
        for index in 0..<rows * outputs {
          let (row, output) = (index / outputs, index % outputs)
          let terms = (0..<inputs).map {
            Double(held(x[row * inputs + $0], as: number))
              * Double(held(weights[output * inputs + $0], as: number))
          }
          let expected = terms.reduce(0, +) + (bias.isEmpty ? 0 : Double(bias[output]))
          let bound = 1e-6 * (1 + terms.reduce(0) { $0 + abs($1) })
          #expect(abs(Double(stored.values[index]) - expected) <= bound)
          #expect(rounded.values[index] == widened(nearestBFloat16(stored.values[index])))
          #expect(abs(Double(added.values[index]) - expected - Double(old[index])) <= bound + 1e-6)
        }
      }
    }
  }

  @Test(arguments: instructionSets, numbers)
  func aRowDoesNotDependOnTheOthers(isa: kernels_isa, number: kernels_number) {
    let (rows, inputs, outputs) = (29, 40, 70)
    let product = PackedProduct(
      isa, number, weights: normals(inputs * outputs, seed: 1), inputs: inputs, outputs: outputs)
    let x = normals(rows * inputs, seed: 2)
    let together = product.apply(to: x, rows: rows, KERNELS_GELU).values
    for row in 0..<rows {
      let alone = product.apply(to: Array(x[row * inputs..<(row + 1) * inputs]), rows: 1, KERNELS_GELU).values
      #expect(alone == Array(together[row * outputs..<(row + 1) * outputs]))
    }
  }

  @Test(arguments: instructionSets, numbers)
  func notANumberStaysInItsRow(isa: kernels_isa, number: kernels_number) {
    var x = normals(3 * 20, seed: 1)
    x[25] = .nan
    let product = PackedProduct(isa, number, weights: normals(20 * 40, seed: 2), inputs: 20, outputs: 40)
    for ending in [KERNELS_STORE, KERNELS_GELU] {
      for result in numbers {
        let found = product.apply(to: x, rows: 3, ending, as: result).values
        #expect(found[40..<80].allSatisfy { $0.isNaN })
        #expect(found[..<40].allSatisfy { $0.isFinite } && found[80...].allSatisfy { $0.isFinite })
      }
    }
  }

  @Test(arguments: instructionSets, numbers)
  func askingForMemoryChangesNoSum(isa: kernels_isa, number: kernels_number) {
    let memory = [UInt8](repeating: 0, count: 1000)
    for (rows, inputs, outputs) in shapes {
      let words = kernels_row_bytes(number, inputs) / 4
      let x = (0..<UInt32(rows * words)).map { ($0 % 7) << 4 | 0x3F80_3F80 }
      let weights = normals(inputs * outputs, seed: 1)
      var panels = [UInt32](repeating: 0, count: kernels_panel_bytes(isa, number, inputs, outputs) / 4)
      kernels_pack(isa, number, weights, inputs, inputs, outputs, nil, &panels)
      var expected = [Float](repeating: 0, count: rows * outputs)
      var found = expected
      panels.withUnsafeBytes { panels in
        var product = kernels_product()
        (product.number, product.inputs, product.outputs) = (number, inputs, outputs)
        product.panels = panels.baseAddress
        kernels_matmul(
          isa, &product, x, 4 * words, rows, nil, KERNELS_STORE, KERNELS_F32, &expected, outputs * 4)
        memory.withUnsafeBytes { memory in
          // Of three lines, and of one.
          let pieces = [130, 64, 1].map { kernels_piece(start: memory.baseAddress, bytes: $0) }
          var lines = 0
          pieces.withUnsafeBufferPointer { pieces in
            var ahead = kernels_ahead(pieces: pieces.baseAddress, count: pieces.count, offset: 0, lines: 1)
            kernels_begin_ahead(&ahead)
            #expect(ahead.count == 3 && ahead.offset == 0)
            kernels_matmul_ahead(isa, &product, x, 4 * words, rows, &found, outputs * 4, &ahead)
            lines = [5, 4, 3, 0][ahead.count] + ahead.offset / 64
          }
          #expect(found == expected)
          let turns = kernels_matmul_turns(isa, number, inputs, outputs, rows)
          switch (isa, number) {
          case (KERNELS_AMX, KERNELS_BF16):
            // Words that fill no block of 16 have no turn.
            let turnsOfATile = (words + 15) / 16
            #expect(lines == min(turns / turnsOfATile * (words / 16), 5))
          case (KERNELS_AVX2, KERNELS_BF16):
            // Six rows of a tile are multiplied three by three, each with turns of their own.
            #expect((min(turns, 5)...min(2 * turns, 5)).contains(lines))
          default: #expect(lines == min(turns, 5))
          }
        }
      }
    }
  }

  @Test(arguments: instructionSets)
  func roundsToTheNearestEvenBFloat16(isa: kernels_isa) {
    let ties: [Float] = [
      1, 1.00390625, 1.01171875, -1.00390625, 3.4e38, -3.4e38, .infinity, -.infinity, .nan, 0, -0.0, 1e-30,
    ]
    let values = ties + normals(61, seed: 1)
    var rounded = [UInt16](repeating: 0, count: values.count)
    kernels_round_bf16(isa, values.count, values, &rounded)
    for (value, found) in zip(values, rounded) {
      #expect(value.isNaN ? widened(found).isNaN : found == nearestBFloat16(value), "\(value)")
    }
  }
}
