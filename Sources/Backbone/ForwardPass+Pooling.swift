import Copenblas
import Kernels

extension ForwardPass {
  /// Makes the embedding of what the last layer norm left in `normed`.
  func pool(by pooling: Pooling, into vector: UnsafeMutablePointer<Float>) {
    let width = geometry.width
    switch pooling {
    case .classToken: vector.update(from: normed, count: width)
    case .meanOfPatches: averagePatches(into: vector)
    case .classAndMean:
      vector.update(from: normed, count: width)
      averagePatches(into: vector + width)
    case .attention:
      if let pool = weights.pool { attend(pool, into: vector) }
    }
  }

  private func averagePatches(into vector: UnsafeMutablePointer<Float>) {
    let count = grid.patchCount
    scores.update(repeating: 1 / Float(count), count: count)
    joinTokens(from: geometry.leadingTokenCount, count: count, heads: 1, into: vector)
  }

  /// vector = softmax over tokens of (W gates(x)), times x; all tokens take part, the class token too.
  private func attend(_ pool: ViTWeights.Pool, into vector: UnsafeMutablePointer<Float>) {
    let (gates, units) = (pool.gates, pool.gates.outputs / 2)
    let heads = geometry.attentionPooling?.heads ?? 0
    forEachStrip(of: tokenCount) { start, rows in
      gates.multiply(normed + start * geometry.width, rows: rows, into: hidden)
      kernels_tanh_gelu_gate(gates.bias, rows, units, hidden)
      cblas_sgemm(
        CblasRowMajor, CblasNoTrans, CblasTrans, blasint(heads), blasint(rows), blasint(units), 1,
        pool.scores,
        blasint(units), hidden, blasint(2 * units), 0, scores + start, blasint(tokenCount))
    }
    kernels_softmax(heads, tokenCount, scores)
    joinTokens(from: 0, count: tokenCount, heads: heads, into: vector)
  }

  /// Means of `count` tokens under the weights in `scores` [heads, count]: [heads, D].
  private func joinTokens(from first: Int, count: Int, heads: Int, into vector: UnsafeMutablePointer<Float>) {
    let width = blasint(geometry.width)
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(heads), width, blasint(count), 1, scores,
      blasint(count),
      normed + first * geometry.width, width, 0, vector, width)
  }
}
