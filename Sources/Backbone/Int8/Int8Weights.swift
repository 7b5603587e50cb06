extension Linear {
  /// What a product in 8 bits knows of its inputs and of whoever reads its results.
  ///
  /// Where one input is far larger than the others, a token's step is too coarse for these. Inputs are divided by
  /// factors where they are made, and the weights multiplied with them: the same product, of numbers that fit 8 bits
  /// better.
  ///
  /// - Source: Xiao et al., "SmoothQuant", ICML 2023.
  struct Calibration {
    /// What the weights of each input are multiplied with, [inputs].
    let inputFactors: [Float]
    /// The mean of each input over tokens, after the division, [inputs].
    let inputMeans: [Float]
    /// What results are multiplied with behind the GELU, [outputs]; or none.
    var resultFactors: [Float] = []
  }
}

/// The weights of a product as whole numbers of -127...127, with a step for each output that meets its largest weight.
struct Int8Weights {
  /// [outputs, inputs], whole numbers times the output's step.
  let values: [Float]
  /// [outputs].
  let steps: [Float]
  /// The sum of each output's whole numbers, [outputs].
  let sums: [Int32]
  /// What rounding takes from each output in the mean over tokens, [outputs].
  let corrections: [Float]

  /// - Parameters:
  ///   - weights: [outputs, inputs].
  ///   - scale: factors of the outputs, [outputs], or none.
  init(
    _ weights: UnsafeBufferPointer<Float>, scale: [Float], inputs: Int, outputs: Int,
    calibration: Linear.Calibration
  ) {
    let (factors, means) = (calibration.inputFactors, calibration.inputMeans)
    precondition(factors.count == inputs && means.count == inputs)
    var steps: [Float] = []
    var sums: [Int32] = []
    var corrections: [Float] = []
    values = [Float](unsafeUninitializedCapacity: inputs * outputs) { values, initialized in
      for output in 0..<outputs {
        let row = UnsafeMutableBufferPointer(rebasing: values[output * inputs..<(output + 1) * inputs])
        let factor = scale.isEmpty ? 1 : scale[output]
        var largest: Float = 0
        for input in 0..<inputs {
          let weight = weights[output * inputs + input] * factor * factors[input]
          row.initializeElement(at: input, to: weight)
          largest = max(largest, abs(weight))
        }
        let step = largest > 0 ? largest / 127 : 1
        var (sum, lost): (Float, Float) = (0, 0)
        for input in 0..<inputs {
          let whole = (row[input] / step).rounded(.toNearestOrEven)
          sum += whole
          lost += (row[input] - whole * step) * means[input]
          row[input] = whole * step
        }
        steps.append(step)
        sums.append(Int32(sum))
        corrections.append(lost)
      }
      initialized = inputs * outputs
    }
    self.steps = steps
    self.sums = sums
    self.corrections = corrections
  }
}
