/// By how many rotations of a crop its vector is averaged. Cells have no up, but a transformer's vector depends on
/// how they lie; the mean over four quarter turns does not. Vectors of different rotations are not comparable.
///
/// JSON: 1, 2 or 4.
package enum Rotations: Int, Sendable, Codable, CaseIterable {
  /// The crop as it is.
  case one = 1
  /// Also upside down.
  case two = 2
  /// All quarter turns: four times the work.
  case four = 4

  /// The rotations, as numbers of quarter turns.
  var quarterTurns: StrideTo<Int> { stride(from: 0, to: 4, by: 4 / rawValue) }
}

/// Turns planes of [height, width] anticlockwise; after an odd number of quarter turns they are [width, height].
///
/// - Shape: `source` and `target` are [count, height * width], and do not overlap.
func turn(
  _ source: UnsafePointer<Float>, count: Int, height: Int, width: Int, quarterTurns: Int,
  into target: UnsafeMutablePointer<Float>
) {
  let plane = height * width
  // Where the first pixel of the source goes, and how far apart two neighbours of a column and of a row land.
  let (first, down, right) =
    switch quarterTurns % 4 {
    case 1: ((width - 1) * height, 1, -height)
    case 2: (plane - 1, -width, -1)
    case 3: (height - 1, -1, height)
    default: (0, width, 1)
    }
  for index in 0..<count {
    var pixel = source + index * plane
    let corner = target + index * plane + first
    for row in 0..<height {
      let line = corner + row * down
      for column in 0..<width { line[column * right] = pixel[column] }
      pixel += width
    }
  }
}
