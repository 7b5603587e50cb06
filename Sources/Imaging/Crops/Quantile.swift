/// The quantile of the values, interpolated linearly between the two nearest as NumPy does. Reorders the values.
/// - Complexity: their count, in the mean.
func quantile(_ fraction: Double, of values: inout [Float]) -> Float {
  let position = fraction * Double(values.count - 1)
  let rank = Int(position)
  return values.withUnsafeMutableBufferPointer { values in
    let below = moveIntoPlace(rank, of: values)
    guard rank + 1 < values.count else { return below }
    var above = Float.infinity
    for index in rank + 1..<values.count { above = min(above, values[index]) }
    let part = position - Double(rank)
    return Float(Double(below) * (1 - part) + Double(above) * part)
  }
}

/// Puts the value of this rank where a sort would put it, smaller ones before and larger ones behind it.
private func moveIntoPlace(_ rank: Int, of values: UnsafeMutableBufferPointer<Float>) -> Float {
  var low = 0
  var high = values.count - 1
  while low < high {
    let pivot = values[(low + high) / 2]
    var left = low
    var right = high
    while left <= right {
      while values[left] < pivot { left += 1 }
      while values[right] > pivot { right -= 1 }
      if left > right { break }
      values.swapAt(left, right)
      left += 1
      right -= 1
    }
    if rank <= right {
      high = right
    } else if rank >= left {
      low = left
    } else {
      break
    }
  }
  return values[rank]
}
