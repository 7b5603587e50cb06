/// How a family of models fits its positional embedding to a grid of patches other than the one that it was
/// trained with: bicubic all, but not the same.
enum PositionResampling: Sendable {
  /// DINO, DINO4Cells, DINOv2 without registers, Cell-DINO: the scale is (grid + 0.1) / stored, A = -0.75,
  /// borders repeat.
  case offset
  /// Hugging Face's ViT and DINOv2, SubCell: the scale is exact, A = -0.75, borders repeat.
  case exact
  /// DINOv2 with registers, timm: the scale is exact, A = -0.5, the kernel widens when shrinking, borders
  /// renormalise.
  case antialiased

  /// Resamples a square table.
  ///
  /// - Parameter table: [side, side, width], row-major.
  /// - Returns: [rows, columns, width].
  func resample(_ table: [Float], side: Int, width: Int, rows: Int, columns: Int) -> [Float] {
    let vertical = (0..<rows).map { taps(at: $0, of: rows, side: side) }
    let horizontal = (0..<columns).map { taps(at: $0, of: columns, side: side) }
    return [Float](unsafeUninitializedCapacity: rows * columns * width) { result, initialized in
      result.initialize(repeating: 0)
      table.withUnsafeBufferPointer { table in
        for row in 0..<rows {
          for column in 0..<columns {
            let target = UnsafeMutableBufferPointer(
              rebasing: result[(row * columns + column) * width..<(row * columns + column + 1) * width])
            for down in vertical[row] {
              for across in horizontal[column] {
                let weight = down.weight * across.weight
                let source = (down.index * side + across.index) * width
                for component in 0..<width { target[component] += weight * table[source + component] }
              }
            }
          }
        }
      }
      initialized = result.count
    }
  }

  /// One stored position that contributes to a new one.
  struct Tap: Equatable {
    let index: Int
    let weight: Float
  }

  /// The stored positions that make new position `target` of `count`, along one axis.
  func taps(at target: Int, of count: Int, side: Int) -> [Tap] {
    switch self {
    case .offset, .exact:
      let extent = Double(count) + (self == .offset ? 0.1 : 0)
      let center = (Double(target) + 0.5) * Double(side) / extent - 0.5
      let base = Int(center.rounded(.down))
      return (base - 1...base + 2).map { index in
        let weight = cubic(center - Double(index), a: -0.75)
        return Tap(index: min(max(index, 0), side - 1), weight: Float(weight))
      }
    case .antialiased:
      let stretch = max(1, Double(side) / Double(count))
      let center = (Double(target) + 0.5) * Double(side) / Double(count)
      let first = max(Int(center - 2 * stretch + 0.5), 0)
      let last = min(Int(center + 2 * stretch + 0.5), side)
      let weights = (first..<last).map { cubic((Double($0) - center + 0.5) / stretch, a: -0.5) }
      let sum = weights.reduce(0, +)
      return zip(first..<last, weights).map { Tap(index: $0, weight: Float($1 / sum)) }
    }
  }
}

/// The cubic convolution kernel.
///
/// - Source: Keys, "Cubic convolution interpolation for digital image processing", 1981, equation 4.
private func cubic(_ distance: Double, a: Double) -> Double {
  let x = abs(distance)
  if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
  if x < 2 { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
  return 0
}
