/// Resizes squares of one size to squares of another: a triangle filter that widens with the reduction, so that
/// fine structure is averaged rather than skipped. Equal sizes copy.
///
/// The same result as Pillow's `Image.resize(size, BILINEAR)` on 32-bit float images.
struct Resampling {
  let inputSize: Int
  let outputSize: Int
  /// For each output position: the first input position that counts, and where its weights start.
  private let first: [Int]
  private let offset: [Int]
  private let weights: [Float]

  init(from inputSize: Int, to outputSize: Int) {
    precondition(inputSize > 0 && outputSize > 0)
    self.inputSize = inputSize
    self.outputSize = outputSize
    let scale = Double(inputSize) / Double(outputSize)
    let support = max(scale, 1)
    var first: [Int] = []
    var offset = [0]
    var weights: [Float] = []
    for output in 0..<outputSize {
      let center = (Double(output) + 0.5) * scale
      let start = max(0, Int(center - support + 0.5))
      let end = min(inputSize, Int(center + support + 0.5))
      let taps = (start..<end).map { max(0, 1 - abs((Double($0) - center + 0.5) / support)) }
      let sum = taps.reduce(0, +)
      first.append(start)
      weights += taps.map { Float($0 / sum) }
      offset.append(weights.count)
    }
    self.first = first
    self.offset = offset
    self.weights = weights
  }

  /// - Shape: `input` is [inputSize, inputSize], `output` [outputSize, outputSize], both row-major.
  func resize(_ input: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>) {
    guard inputSize != outputSize else {
      output.update(from: input, count: inputSize * inputSize)
      return
    }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: inputSize * outputSize) { scratch in
      guard let narrow = scratch.baseAddress else { return }
      resizeRows(input, into: narrow)
      resizeColumns(narrow, into: output)
    }
  }

  /// [inputSize, inputSize] to [inputSize, outputSize].
  private func resizeRows(_ input: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>) {
    first.withUnsafeBufferPointer { first in
      offset.withUnsafeBufferPointer { offset in
        weights.withUnsafeBufferPointer { weights in
          for y in 0..<inputSize {
            let row = input + y * inputSize
            let out = output + y * outputSize
            for x in 0..<outputSize {
              let start = offset[x]
              let source = row + first[x]
              var sum: Float = 0
              for tap in 0..<offset[x + 1] - start { sum += weights[start + tap] * source[tap] }
              out[x] = sum
            }
          }
        }
      }
    }
  }

  /// [inputSize, outputSize] to [outputSize, outputSize].
  private func resizeColumns(_ input: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>) {
    for y in 0..<outputSize {
      let out = output + y * outputSize
      out.update(repeating: 0, count: outputSize)
      for tap in 0..<offset[y + 1] - offset[y] {
        let weight = weights[offset[y] + tap]
        let row = input + (first[y] + tap) * outputSize
        for x in 0..<outputSize { out[x] += weight * row[x] }
      }
    }
  }
}
