import Glibc

/// Where DINOv3 has no table of positions: the angles by which queries and keys of a patch are turned.
///
/// - Source: `dinov3/layers/rope_position_encoding.py` of facebookresearch/dinov3; each axis is divided by
///   its own length.
enum RotaryPositions {
  /// theta^(2 m / (headWidth / 2)) for m = 0 ..< headWidth / 4.
  static func periods(headWidth: Int, theta: Double) -> [Double] {
    (0..<headWidth / 4).map { pow(theta, 4 * Double($0) / Double(headWidth)) }
  }

  /// Cosines and then sines of a patch's angles: 2 pi y / period for all periods, then 2 pi x / period, where
  /// y and x of the centres of patches run from -1 to 1 from border to border.
  ///
  /// - Returns: [rows * columns, 4 * periods.count], as `kernels_rotate` takes it.
  static func turns(periods: [Double], rows: Int, columns: Int) -> [Float] {
    func angles(_ index: Int, of count: Int) -> [Double] {
      let coordinate = (Double(index) + 0.5) / Double(count) * 2 - 1
      return periods.map { 2 * .pi * coordinate / $0 }
    }
    let across = (0..<columns).map { angles($0, of: columns) }
    var turns: [Float] = []
    turns.reserveCapacity(rows * columns * 4 * periods.count)
    for row in 0..<rows {
      let down = angles(row, of: rows)
      for column in 0..<columns {
        let both = down + across[column]
        turns += both.map { Float(cos($0)) }
        turns += both.map { Float(sin($0)) }
      }
    }
    return turns
  }
}
