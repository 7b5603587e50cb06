import Glibc

/// A Gaussian blur; beyond its edges the image is continued by its outermost pixels.
/// - Parameter sigma: standard deviation, pixels; the kernel ends at 3 sigma.
/// - Shape: `pixels` is [height, width], row-major.
/// - Complexity: width * height * 6 sigma.
package func gaussianSmoothed(_ pixels: [Float], width: Int, height: Int, sigma: Double) -> [Float] {
  guard sigma > 0 else { return pixels }
  let radius = max(1, Int((3 * sigma).rounded(.up)))
  let bell = (0...radius).map { exp(-0.5 * Double($0 * $0) / (sigma * sigma)) }
  let sum = bell[0] + 2 * bell.dropFirst().reduce(0, +)
  let taps = bell.map { Float($0 / sum) }

  let count = width * height
  let rows = [Float](unsafeUninitializedCapacity: count) { output, initializedCount in
    initializedCount = count
    pixels.withUnsafeBufferPointer { input in
      smoothRows(input, taps, width, height, into: output)
    }
  }
  return [Float](unsafeUninitializedCapacity: count) { output, initializedCount in
    initializedCount = count
    rows.withUnsafeBufferPointer { input in
      smoothColumns(input, taps, width, height, into: output)
    }
  }
}

private func smoothRows(
  _ input: UnsafeBufferPointer<Float>, _ taps: [Float], _ width: Int, _ height: Int,
  into output: UnsafeMutableBufferPointer<Float>
) {
  let radius = taps.count - 1
  var padded = [Float](repeating: 0, count: width + 2 * radius)
  padded.withUnsafeMutableBufferPointer { padded in
    guard let target = output.baseAddress, let middle = padded.baseAddress.map({ $0 + radius }) else {
      return
    }
    for y in 0..<height {
      let row = UnsafeBufferPointer(rebasing: input[y * width..<(y + 1) * width])
      for x in 0..<width { middle[x] = row[x] }
      for x in 1...radius {
        middle[-x] = row[0]
        middle[width - 1 + x] = row[width - 1]
      }
      let out = target + y * width
      scale(middle, by: taps[0], width, into: out)
      for tap in 1...radius { addScaled(middle - tap, middle + tap, by: taps[tap], width, to: out) }
    }
  }
}

private func smoothColumns(
  _ input: UnsafeBufferPointer<Float>, _ taps: [Float], _ width: Int, _ height: Int,
  into output: UnsafeMutableBufferPointer<Float>
) {
  guard let source = input.baseAddress, let target = output.baseAddress else { return }
  for y in 0..<height {
    let out = target + y * width
    scale(source + y * width, by: taps[0], width, into: out)
    for tap in 1..<taps.count {
      let above = source + max(0, y - tap) * width
      let below = source + min(height - 1, y + tap) * width
      addScaled(above, below, by: taps[tap], width, to: out)
    }
  }
}

@inline(__always)
private func scale(
  _ input: UnsafePointer<Float>, by factor: Float, _ count: Int, into output: UnsafeMutablePointer<Float>
) {
  for index in 0..<count { output[index] = factor * input[index] }
}

@inline(__always)
private func addScaled(
  _ first: UnsafePointer<Float>, _ second: UnsafePointer<Float>, by factor: Float, _ count: Int,
  to output: UnsafeMutablePointer<Float>
) {
  for index in 0..<count { output[index] += factor * (first[index] + second[index]) }
}
