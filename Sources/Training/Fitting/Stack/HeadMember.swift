import Kernels

/// A head in training: its parameters, the state of AdamW, and what a batch leaves for the step.
final class HeadMember {
  /// The set that it learns from, by number.
  let set: Int
  let weightDecay: Double
  let shape: HeadShape
  let layers: [Layer]
  var rates: RateControl
  /// Steps of the optimiser so far.
  var stepCount: UInt64 = 0
  /// Whether it is still trained.
  var isActive = true
  /// [units of a batch]: the sum of losses over the unit's samples and classes.
  let losses: SumBuffer
  private let layout: PanelLayout
  private let transform: InputTransform?

  /// - Parameters:
  ///   - parameters: as `HeadShape` lays them out.
  ///   - transform: from the vectors that are multiplied to those that the head is to see; nil when they are
  ///     the same.
  ///   - capacity: samples of the largest batch.
  init(
    set: Int, shape: HeadShape, parameters: [Float], rates: RateControl, weightDecay: Double,
    layout: PanelLayout,
    transform: InputTransform?, capacity: Int
  ) {
    self.set = set
    self.shape = shape
    self.rates = rates
    self.weightDecay = weightDecay
    self.layout = layout
    self.transform = transform
    losses = SumBuffer(count: capacity / PanelLayout.unit + 1)
    layers = shape.layers.enumerated().map { index, layer in
      Layer(
        inputs: layer.inputs, outputs: layer.outputs, isFirst: index == 0, layout: layout,
        isTransformed: index == 0 && transform != nil, capacity: capacity)
    }
    self.parameters = parameters
  }

  /// The parameters as `HeadShape` lays them out.
  var parameters: [Float] {
    get {
      var parameters = [Float](repeating: 0, count: shape.parameterCount)
      for (place, layer) in zip(shape.layers, layers) {
        for output in 0..<layer.outputs {
          parameters[place.biases.lowerBound + output] = layer.biases.value[output]
          let row = layer.weights.value + output * layer.inputStride
          for input in 0..<layer.inputs {
            parameters[place.weights.lowerBound + output * layer.inputs + input] = row[input]
          }
        }
      }
      return parameters
    }
    set {
      precondition(newValue.count == shape.parameterCount)
      for (index, (place, layer)) in zip(shape.layers, layers).enumerated() {
        for output in 0..<layer.outputs {
          layer.biases.value[output] = newValue[place.biases.lowerBound + output]
          let row = layer.weights.value + output * layer.inputStride
          for input in 0..<layer.inputs {
            row[input] = newValue[place.weights.lowerBound + output * layer.inputs + input]
          }
        }
        for start in stride(from: 0, to: layer.inputs, by: PanelLayout.unit) {
          for output in 0..<layer.outputs { refresh(index, output: output, from: start) }
          transpose(layer, from: start)
        }
      }
    }
  }

  /// Writes the numbers that the next product multiplies, of one output and a unit of inputs.
  private func refresh(_ index: Int, output: Int, from start: Int) {
    let layer = layers[index]
    let width = min(PanelLayout.unit, layer.inputStride - start)
    let at = output * layer.inputStride + start
    if index == 0, let transform {
      withUnsafeTemporaryAllocation(of: Float.self, capacity: PanelLayout.unit) { effective in
        guard let base = effective.baseAddress else { return }
        layer.offsets.start[start / PanelLayout.unit * layer.outputs + output] = training_scaled(
          width, transform.ratio.start + start, transform.offset.start + start, layer.weights.value + at, base
        )
        layout.write(base, count: width, to: layer.multiplied, at: at)
      }
    } else if layer.hasCopy {
      layout.write(layer.weights.value + at, count: width, to: layer.multiplied, at: at)
    }
  }

  /// Takes the optimiser's step on a layer's weights for a unit of inputs, and with the first unit on its
  /// biases.
  ///
  /// - Parameters:
  ///   - panels: of the unit's inputs as outputs, over the batch's `rows`.
  ///   - learned: the rows that the head learns from; it is one at least.
  ///   - firstBiases: the gradients of the first layer's biases.
  ///   - factors: with weight decay, and without.
  ///   - scratch: [128, unit], zeroed once.
  func update(
    layer index: Int, from start: Int, panels: UnsafePointer<UInt32>, rows: Int, learned: LearnedRows,
    batchUnits: Int, firstBiases: UnsafePointer<Float>,
    factors: (weights: training_adamw_factors, biases: training_adamw_factors), scratch: UpdateScratch
  ) {
    let layer = layers[index]
    let count = min(PanelLayout.unit, layer.inputs - start)
    let width = count.rounded(upTo: TRAINING_LANES)
    var (weightFactors, biasFactors) = factors
    let gradient = scratch.gradient.floats
    let (weights, effective) = (layer.weights, scratch.effective.floats)
    let (value, mean, square) = (weights.value, weights.first, weights.second)
    let offsets = layer.offsets.start + start / PanelLayout.unit * layer.outputs
    // Pointers, since other threads use the same buffers, and would wait for one another to count each use.
    let transform =
      index == 0 ? self.transform.map { ($0.ratio.start + start, $0.offset.start + start) } : nil
    let (multiplied, hasCopy, gradients) = (layer.multiplied, layer.hasCopy, layer.gradients.start)
    if count < width {
      for row in 0..<UpdateScratch.rows {
        (gradient + row * PanelLayout.unit + count).update(repeating: 0, count: width - count)
      }
    }
    for first in stride(from: 0, to: layer.outputs, by: UpdateScratch.rows) {
      let outputs = min(UpdateScratch.rows, layer.outputs - first)
      // What the step changes is in short pieces far apart, and is asked for before the product.
      for output in first..<first + outputs {
        let at = output * layer.inputStride + start
        kernels_prefetch(value + at, count * 4)
        kernels_prefetch(mean + at, count * 4)
        kernels_prefetch(square + at, count * 4)
      }
      layout.multiply(
        UnsafeRawPointer(gradients) + first * layer.rowCapacity * 4 / layout.numbersPerWord,
        stride: layer.rowCapacity, rows: outputs, panels: panels, inputs: rows, parts: learned.runs,
        outputs: count, into: gradient, outStride: PanelLayout.unit)
      for output in first..<first + outputs {
        let at = output * layer.inputStride + start
        let row = gradient + (output - first) * PanelLayout.unit
        if let (ratio, offset) = transform {
          offsets[output] = training_adamw_scaled(
            &weightFactors, width, row, firstBiases[output], ratio, offset, value + at, mean + at,
            square + at, effective)
          layout.write(effective, count: width, to: multiplied, at: at)
        } else {
          training_adamw(&weightFactors, width, row, value + at, mean + at, square + at)
          if hasCopy { layout.write(value + at, count: width, to: multiplied, at: at) }
        }
      }
    }
    transpose(layer, from: start)
    guard start == 0 else { return }
    let biases =
      index == 0 ? firstBiases : UnsafePointer(scratch.sumBiases(of: layer, units: batchUnits))
    training_adamw(
      &biasFactors, layer.outputStride, biases, layer.biases.value, layer.biases.first, layer.biases.second)
  }

  /// Writes the transposed weights of a unit of inputs, which lead gradients back to the layer before.
  private func transpose(_ layer: Layer, from start: Int) {
    guard let transposed = layer.transposed else { return }
    let count = min(PanelLayout.unit, layer.inputs - start)
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: PanelLayout.unit * layer.outputStride) {
      turned in
      guard let base = turned.baseAddress else { return }
      UnsafeMutableRawPointer(layer.weights.value + start).withMemoryRebound(
        to: UInt32.self, capacity: layer.outputs * layer.inputStride - start
      ) {
        training_transpose($0, layer.inputStride, layer.outputs, count, base, layer.outputStride)
      }
      let values = UnsafeRawPointer(base).assumingMemoryBound(to: Float.self)
      for input in 0..<count {
        layout.write(
          values + input * layer.outputStride, count: layer.outputs, to: transposed.start,
          at: (start + input) * layer.outputStride)
      }
    }
  }
}

extension HeadMember {
  /// One dense layer, and what a batch leaves for its step.
  final class Layer {
    let inputs: Int
    let outputs: Int
    /// Numbers of a row of weights, and of transposed weights: whole registers.
    let inputStride: Int
    let outputStride: Int
    /// Numbers of a row of gradients.
    let rowCapacity: Int
    /// [outputs, inputStride]
    let weights: AdamBuffers
    /// [outputStride]
    let biases: AdamBuffers
    /// [inputs, outputStride] numbers that are multiplied; nil for the first layer, whose inputs need no
    /// gradient.
    let transposed: WordBuffer?
    /// [outputs, rowCapacity] numbers that are multiplied: the gradient of the outputs over the batch.
    let gradients: WordBuffer
    /// The layer's inputs packed as outputs over the batch; nil for the first layer, where they are the
    /// batch's.
    let activations: WordBuffer?
    /// [units of a batch, outputs]: sums of gradients over a unit's samples.
    let biasSums: SumBuffer
    /// [units of inputs, outputs]: what the transform's offset adds to an output.
    let offsets: FloatBuffer
    /// [outputs, inputStride] numbers that are multiplied.
    let multiplied: UnsafeMutableRawPointer
    /// Whether these are others than the weights.
    let hasCopy: Bool
    private let copy: WordBuffer?

    init(inputs: Int, outputs: Int, isFirst: Bool, layout: PanelLayout, isTransformed: Bool, capacity: Int) {
      self.inputs = inputs
      self.outputs = outputs
      inputStride = inputs.rounded(upTo: TRAINING_LANES)
      outputStride = outputs.rounded(upTo: TRAINING_LANES)
      rowCapacity = layout.padded(capacity)
      weights = AdamBuffers(count: outputs * inputStride)
      biases = AdamBuffers(count: outputStride)
      copy =
        isTransformed || layout.numbersPerWord > 1
        ? WordBuffer(count: outputs * inputStride / layout.numbersPerWord) : nil
      hasCopy = copy != nil
      multiplied = UnsafeMutableRawPointer(copy.map(\.floats) ?? weights.value)
      transposed =
        isFirst ? nil : WordBuffer(count: inputs * outputStride / layout.numbersPerWord)
      gradients = WordBuffer(count: outputs * rowCapacity / layout.numbersPerWord)
      activations = isFirst ? nil : WordBuffer(count: layout.panelWords(inputs: rowCapacity, outputs: inputs))
      biasSums = SumBuffer(count: (capacity / PanelLayout.unit + 1) * outputs)
      let inputUnits = (inputs + PanelLayout.unit - 1) / PanelLayout.unit
      offsets = FloatBuffer(count: isTransformed ? inputUnits * outputs : 0)
    }

    /// Writes the gradients of the biases, sums over a batch's units: [outputs].
    func sumBiases(units: Int, into gradients: UnsafeMutablePointer<Float>) {
      let sums = biasSums.start
      for output in 0..<outputs {
        var sum = 0.0
        for unit in 0..<units { sum += sums[unit * outputs + output] }
        gradients[output] = Float(sum)
      }
    }

    /// What is added to an output's products.
    func effectiveBias(of output: Int) -> Float {
      var bias = biases.value[output]
      for at in stride(from: output, to: offsets.count, by: outputs) { bias += offsets.start[at] }
      return bias
    }
  }
}

/// Parameters with the moments that AdamW keeps of their gradients.
final class AdamBuffers {
  private let buffers: [WordBuffer]
  let value: UnsafeMutablePointer<Float>
  let first: UnsafeMutablePointer<Float>
  let second: UnsafeMutablePointer<Float>

  init(count: Int) {
    buffers = (0..<3).map { _ in WordBuffer(count: count) }
    value = buffers[0].floats
    first = buffers[1].floats
    second = buffers[2].floats
  }
}

/// Sums that C kernels add to.
final class SumBuffer {
  let start: UnsafeMutablePointer<Double>

  init(count: Int) {
    start = .allocate(capacity: max(count, 1))
    start.initialize(repeating: 0, count: max(count, 1))
  }

  deinit { start.deallocate() }
}

/// What a thread needs to update a unit of weights.
final class UpdateScratch {
  /// Outputs at a time: their gradients stay in the first cache.
  static let rows = 128
  /// [rows, unit]
  let gradient = WordBuffer(count: UpdateScratch.rows * PanelLayout.unit)
  /// [unit]
  let effective = WordBuffer(count: PanelLayout.unit)
  /// [heads, biasStride]: the gradients of the first layers' biases, which each unit of inputs needs.
  private var firstBiases = WordBuffer(count: 0)
  /// Those of another layer.
  private var biases = WordBuffer(count: 0)
  /// Numbers of a head in `firstBiases`.
  private(set) var biasStride = 0

  func sumFirstBiases(of members: [HeadMember], units: Int) -> UnsafePointer<Float> {
    biasStride = members.first?.layers.first?.outputStride ?? 0
    if firstBiases.count < members.count * biasStride {
      firstBiases = WordBuffer(count: members.count * biasStride)
    }
    for (place, member) in members.enumerated() {
      member.layers.first?.sumBiases(units: units, into: firstBiases.floats + place * biasStride)
    }
    return UnsafePointer(firstBiases.floats)
  }

  func sumBiases(of layer: HeadMember.Layer, units: Int) -> UnsafeMutablePointer<Float> {
    if biases.count < layer.outputStride { biases = WordBuffer(count: layer.outputStride) }
    layer.sumBiases(units: units, into: biases.floats)
    return biases.floats
  }
}

/// From the vectors that several heads share, y, to those that one of them is to see, x = ratio y + offset:
/// the standardisation of its own training samples, given that of all samples. Both are affine, so that a
/// head's weights and gradients can be carried over exactly, and vectors are packed once for all heads.
final class InputTransform {
  /// [dimension], with zeros up to whole registers.
  let ratio: FloatBuffer
  let offset: FloatBuffer

  init(from shared: Standardization, to own: Standardization) {
    let dimension = own.mean.count
    let padded = dimension.rounded(upTo: TRAINING_LANES)
    ratio = FloatBuffer(count: padded)
    offset = FloatBuffer(count: padded)
    for index in 0..<dimension {
      ratio.start[index] = own.scale[index] / shared.scale[index]
      offset.start[index] = (shared.mean[index] - own.mean[index]) * own.scale[index]
    }
  }
}
