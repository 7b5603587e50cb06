import Glibc
import Kernels
import Testing

@Suite struct AttentionTests {
  /// Queries, keys and values side by side in rows, as a model has them; the head lies behind another.
  private struct Head {
    let tokens: Int
    let width: Int
    let rows: [Float]
    var stride: Int { 3 * (width + 2) }

    init(tokens: Int, width: Int) {
      (self.tokens, self.width) = (tokens, width)
      rows = normals(tokens * 3 * (width + 2), seed: UInt64(tokens)).map { 2 * $0 }
    }

    func place(_ part: Int, _ token: Int, _ column: Int) -> Int {
      token * stride + part * (width + 2) + 2 + column
    }

    func attended(_ isa: kernels_isa, _ number: kernels_number, queries: Range<Int>) -> [Float] {
      let size = number == KERNELS_BF16 ? 2 : 4
      var bytes = [UInt8](repeating: 0, count: rows.count * size)
      for (index, value) in rows.enumerated() { store(value, as: number, in: &bytes, at: index * size) }
      var head = [UInt32](repeating: .max, count: kernels_head_bytes(isa, number, tokens, width) / 4)
      var scratch = [UInt32](repeating: .max, count: kernels_attend_bytes(isa, number, tokens, width) / 4)
      var out = [UInt8](repeating: 0xA5, count: queries.count * (width + 3) * size)
      bytes.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        kernels_pack_head(
          isa, number, base + place(1, 0, 0) * size, base + place(2, 0, 0) * size, stride * size, tokens,
          width, &head)
        kernels_attend(
          isa, number, base + place(0, queries.lowerBound, 0) * size, stride * size, queries.count, head,
          tokens, width,
          &scratch, &out, (width + 3) * size)
      }
      return (0..<queries.count * width).map {
        load(number, from: out, at: ($0 / width * (width + 3) + $0 % width) * size)
      }
    }

    func expected(_ number: kernels_number, query: Int) -> [Double] {
      func value(_ part: Int, _ token: Int, _ column: Int) -> Double {
        Double(held(rows[place(part, token, column)], as: number))
      }
      let scores = (0..<tokens).map { token in
        (0..<width).reduce(0) { $0 + value(0, query, $1) * value(1, token, $1) } / Double(width).squareRoot()
      }
      let largest = scores.max() ?? 0
      let weights = scores.map { exp($0 - largest) }
      let sum = weights.reduce(0, +)
      return (0..<width).map { column in
        (0..<tokens).reduce(0) { $0 + weights[$1] * value(2, $1, column) } / sum
      }
    }
  }

  @Test(arguments: instructionSets, [64, 32, 6, 1])
  func equalsTheSoftmaxInDouble(isa: kernels_isa, width: Int) {
    for tokens in [1, 7, 33, 197] {
      let head = Head(tokens: tokens, width: width)
      for (number, bound) in [(KERNELS_F32, 1e-5), (KERNELS_BF16, 4e-2)] {
        let found = head.attended(isa, number, queries: 0..<tokens)
        for query in stride(from: 0, to: tokens, by: 3) {
          for (column, value) in head.expected(number, query: query).enumerated() {
            #expect(abs(Double(found[query * width + column]) - value) <= bound)
          }
        }
      }
    }
  }

  @Test(arguments: instructionSets)
  func aQueryDoesNotDependOnTheOthers(isa: kernels_isa) {
    let head = Head(tokens: 50, width: 20)
    for number in [KERNELS_F32, KERNELS_BF16] {
      let together = head.attended(isa, number, queries: 0..<50)
      for part in [0..<1, 3..<20, 49..<50] {
        let found = head.attended(isa, number, queries: part)
        #expect(found == Array(together[part.lowerBound * 20..<part.upperBound * 20]))
      }
    }
  }
}
