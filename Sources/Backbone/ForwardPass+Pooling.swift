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
    kernels_weighted_sums(
      1, equal, count, geometry.width, normed.floats(geometry.leadingTokenCount), vector)
  }

  /// vector = softmax over tokens of (W gates(x)), times x; all tokens take part, the class token too.
  private func attend(_ pool: ViTWeights.Pool, _ own: Own, into vector: UnsafeMutablePointer<Float>) {
    let (gates, units) = (pool.gates, pool.gates.outputs / 2)
    let heads = geometry.attentionPooling?.heads ?? 0
    // [heads, T].
    var weights = [Float](repeating: 0, count: heads * tokenCount)
    let hidden = Rows(start: own.wide.start, stride: 4 * gates.outputs)
    weights.withUnsafeMutableBufferPointer { weights in
      guard let weights = weights.baseAddress else { return }
      Strips(rows: tokenCount, members: members).forEachOfAll { strip in
        gates.multiply(normed.from(strip.lowerBound), rows: strip.count, as: .float32, into: hidden)
        kernels_tanh_gelu_gate(gates.biasOrZeros, strip.count, units, hidden.floats())
        kernels_dots(
          heads, pool.scores, strip.count, hidden.floats(), 2 * units, units, weights + strip.lowerBound,
          tokenCount)
      }
      kernels_softmax(heads, tokenCount, weights)
      kernels_weighted_sums(heads, weights, tokenCount, geometry.width, normed.floats(), vector)
    }
  }
}
