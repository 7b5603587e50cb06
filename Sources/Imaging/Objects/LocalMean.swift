/// The mean of the square of side 2 radius + 1 around each pixel, as much of it as lies in the image.
/// - Shape: [height, width], row-major.
/// - Complexity: width * height, whatever the radius.
func localMean(_ pixels: [Float], width: Int, height: Int, radius: Int) -> [Float] {
  // Sums over the columns of the rows that the window spans now; doubles keep what is added and taken away again.
  var columns = [Double](repeating: 0, count: width)
  return [Float](unsafeUninitializedCapacity: width * height) { output, initializedCount in
    initializedCount = width * height
    pixels.withUnsafeBufferPointer { pixels in
      columns.withUnsafeMutableBufferPointer { columns in
        func add(row: Int, times factor: Double) {
          for x in 0..<width { columns[x] += factor * Double(pixels[row * width + x]) }
        }
        for row in 0..<min(radius, height) { add(row: row, times: 1) }
        for y in 0..<height {
          if y + radius < height { add(row: y + radius, times: 1) }
          if y - radius > 0 { add(row: y - radius - 1, times: -1) }
          let rowCount = min(height - 1, y + radius) - max(0, y - radius) + 1
          var sum = 0.0
          for x in 0..<min(radius, width) { sum += columns[x] }
          for x in 0..<width {
            if x + radius < width { sum += columns[x + radius] }
            if x - radius > 0 { sum -= columns[x - radius - 1] }
            let columnCount = min(width - 1, x + radius) - max(0, x - radius) + 1
            output[y * width + x] = Float(sum / Double(rowCount * columnCount))
          }
        }
      }
    }
  }
}
