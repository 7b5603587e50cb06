/// The level that splits values into two classes of least variance within, of 1,024 equal steps.
/// - Returns: nil when there are no two different values.
/// - Source: Otsu, "A threshold selection method from gray-level histograms", 1979.
func otsuThreshold(_ values: [Float]) -> Float? {
  guard let low = values.min(), let high = values.max(), low < high else { return nil }
  let steps = 1024
  // In double precision neither a tiny nor a huge range leaves the finite numbers.
  let scale = Double(steps) / (Double(high) - Double(low))
  var counts = [Int](repeating: 0, count: steps)
  values.withUnsafeBufferPointer { values in
    for value in values { counts[min(steps - 1, Int((Double(value) - Double(low)) * scale))] += 1 }
  }
  var total = 0.0
  for (step, count) in counts.enumerated() { total += Double(step) * Double(count) }
  var countBelow = 0.0
  var sumBelow = 0.0
  var best = (variance: -1.0, step: 0)
  for step in 0..<steps - 1 {
    countBelow += Double(counts[step])
    sumBelow += Double(step) * Double(counts[step])
    let countAbove = Double(values.count) - countBelow
    if countBelow == 0 || countAbove == 0 { continue }
    let difference = sumBelow / countBelow - (total - sumBelow) / countAbove
    let variance = countBelow * countAbove * difference * difference
    if variance > best.variance { best = (variance, step) }
  }
  return Float(Double(low) + Double(best.step + 1) / scale)
}

/// Fills background that the mask encloses (4-connected) and that has at most `largest` pixels.
func fillHoles(_ mask: inout [Bool], width: Int, height: Int, largest: Int) {
  var seen = mask
  var stack: [Int32] = []
  var hole: [Int32] = []
  mask.withUnsafeMutableBufferPointer { mask in
    seen.withUnsafeMutableBufferPointer { seen in
      for start in 0..<width * height where !seen[start] {
        hole.removeAll(keepingCapacity: true)
        var reachesEdge = false
        seen[start] = true
        stack.append(Int32(start))
        while let pixel = stack.popLast() {
          let index = Int(pixel)
          let x = index % width
          let y = index / width
          if hole.count <= largest { hole.append(pixel) }
          if x == 0 || y == 0 || x == width - 1 || y == height - 1 { reachesEdge = true }
          if x > 0, !seen[index - 1] {
            seen[index - 1] = true
            stack.append(pixel - 1)
          }
          if x < width - 1, !seen[index + 1] {
            seen[index + 1] = true
            stack.append(pixel + 1)
          }
          if y > 0, !seen[index - width] {
            seen[index - width] = true
            stack.append(pixel - Int32(width))
          }
          if y < height - 1, !seen[index + width] {
            seen[index + width] = true
            stack.append(pixel + Int32(width))
          }
        }
        guard !reachesEdge, hole.count <= largest else { continue }
        for pixel in hole { mask[Int(pixel)] = true }
      }
    }
  }
}
