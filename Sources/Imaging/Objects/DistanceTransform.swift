/// The distance of each pixel of a mask to the nearest pixel that is not of it, exactly, pixel centre to pixel
/// centre; 0 outside the mask. Beyond its edges the image goes on as mask, so that an object cut by the edge
/// keeps the width that it shows. A mask without any outside is infinitely far everywhere.
/// - Shape: [height, width], row-major.
/// - Complexity: width * height.
/// - Source: Felzenszwalb and Huttenlocher, "Distance transforms of sampled functions", 2012.
func distances(in mask: [Bool], width: Int, height: Int) -> [Float] {
  let count = width * height
  return [Float](unsafeUninitializedCapacity: count) { squared, initializedCount in
    initializedCount = count
    mask.withUnsafeBufferPointer { columnDistances(in: $0, width, height, into: squared) }
    var envelope = LowerEnvelope(capacity: width)
    for y in 0..<height {
      envelope.minimize(UnsafeMutableBufferPointer(rebasing: squared[y * width..<(y + 1) * width]))
    }
    for index in 0..<count { squared[index] = squared[index].squareRoot() }
  }
}

/// The squared distance to the nearest pixel outside the mask in the same column.
private func columnDistances(
  in mask: UnsafeBufferPointer<Bool>, _ width: Int, _ height: Int,
  into squared: UnsafeMutableBufferPointer<Float>
) {
  // Distances first: row by row down, then up.
  for x in 0..<width { squared[x] = mask[x] ? .infinity : 0 }
  for y in 1..<max(1, height) {
    let row = y * width
    for x in 0..<width { squared[row + x] = mask[row + x] ? squared[row - width + x] + 1 : 0 }
  }
  for y in stride(from: height - 2, through: 0, by: -1) {
    let row = y * width
    for x in 0..<width { squared[row + x] = min(squared[row + x], squared[row + width + x] + 1) }
  }
  for index in 0..<width * height { squared[index] *= squared[index] }
}

/// The lower envelope of the parabolas f(q) + (x - q)^2 over one row.
private struct LowerEnvelope {
  private var vertices: [Int32]
  /// Where each parabola begins to be the lowest.
  private var starts: [Float]
  private var heights: [Float]

  init(capacity: Int) {
    vertices = [Int32](repeating: 0, count: capacity)
    starts = [Float](repeating: 0, count: capacity)
    heights = [Float](repeating: 0, count: capacity)
  }

  /// Replaces each value by the envelope's there. Infinite values have no parabola.
  mutating func minimize(_ row: UnsafeMutableBufferPointer<Float>) {
    vertices.withUnsafeMutableBufferPointer { vertices in
      starts.withUnsafeMutableBufferPointer { starts in
        heights.withUnsafeMutableBufferPointer { heights in
          let width = row.count
          var last = -1
          for q in 0..<width where row[q] < .infinity {
            let position = Float(q)
            var start = -Float.infinity
            while last >= 0 {
              let vertex = Float(vertices[last])
              // Where the new parabola meets the last one.
              start =
                (row[q] - heights[last] + (position - vertex) * (position + vertex))
                / (2 * (position - vertex))
              if start > starts[last] { break }
              last -= 1
              start = -.infinity
            }
            last += 1
            vertices[last] = Int32(q)
            starts[last] = start
            heights[last] = row[q]
          }
          guard last >= 0 else { return }
          var parabola = 0
          for x in 0..<width {
            while parabola < last, starts[parabola + 1] < Float(x) { parabola += 1 }
            let offset = Float(x) - Float(vertices[parabola])
            row[x] = heights[parabola] + offset * offset
          }
        }
      }
    }
  }
}
