import Copenblas
import Kernels

extension ForwardPass {
  /// Makes the embedding of what the last layer norm left in `normed`.
  func pool(by pooling: Pooling, _ own: Own, into vector: UnsafeMutablePointer<Float>) {
    let width = geometry.width
    switch pooling {
    case .classToken: vector.update(from: normed.floats(), count: width)
    case .meanOfPatches: averagePatches(into: vector)
    case .classAndMean:
      vector.update(from: normed.floats(), count: width)
      averagePatches(into: vector + width)
    case .attention:
      if let pool = weights.pool { attend(pool, own, into: vector) }
    }
  }

  private func averagePatches(into vector: UnsafeMutablePointer<Float>) {
    let count = grid.patchCount
    let equal = [Float](repeating: 1 / Float(count), count: count)
    joinTokens(equal, from: geometry.leadingTokenCount, count: count, heads: 1, into: vector)
  }

  /// vector = softmax over tokens of (W gates(x)), times x; all tokens take part, the class token too.
  private func attend(_ pool: ViTWeights.Pool, _ own: Own, into vector: UnsafeMutablePointer<Float>) {
    let (gates, units) = (pool.gates, pool.gates.outputs / 2)
    let heads = geometry.attentionPooling?.heads ?? 0
    var scores = [Float](repeating: 0, count: heads * tokenCount)
    let hidden = Rows(start: own.wide.start, stride: 4 * gates.outputs)
    Strips(rows: tokenCount, members: members).forEachOfAll { strip in
      gates.multiply(normed.from(strip.lowerBound), rows: strip.count, as: .float32, into: hidden)
      kernels_tanh_gelu_gate(gates.biasOrZeros, strip.count, units, hidden.floats())
      scores.withUnsafeMutableBufferPointer { scores in
        guard let base = scores.baseAddress else { return }
        cblas_sgemm(
          CblasRowMajor, CblasNoTrans, CblasTrans, blasint(heads), blasint(strip.count), blasint(units), 1,
          pool.scores, blasint(units), hidden.floats(), blasint(2 * units), 0, base + strip.lowerBound,
          blasint(tokenCount))
      }
    }
    kernels_softmax(heads, tokenCount, &scores)
    joinTokens(scores, from: 0, count: tokenCount, heads: heads, into: vector)
  }

  /// Means of `count` tokens under weights [heads, count]: [heads, D].
  private func joinTokens(
    _ weights: [Float], from first: Int, count: Int, heads: Int, into vector: UnsafeMutablePointer<Float>
  ) {
    let width = blasint(geometry.width)
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(heads), width, blasint(count), 1, weights,
      blasint(count),
      normed.floats(first), width, 0, vector, width)
  }
}
