import Kernels

/// What a thread needs to take a unit of samples through the layers of a head.
final class PassScratch {
  let layout: PanelLayout
  let shape: HeadShape
  /// Of each layer: [outputs, unit], rectified outputs, the logits last.
  let outputs: [WordBuffer]
  /// Of each layer: [outputs, unit], gradients of the outputs before they were rectified.
  let gradients: [WordBuffer]
  /// [classes, unit]: the targets of the unit's samples.
  let targets: WordBuffer
  /// [sets, unit]: 1 for samples that a set learns from.
  private let presence: WordBuffer
  /// [classes]: what a head adds to its logits.
  let biases: WordBuffer
  /// [widest layer and a row of zeros, unit] numbers that are multiplied; none for float32, which needs no rounding.
  private let numbers: WordBuffer
  /// Panels of the unit's samples as outputs, over the widest layer.
  private let panels: WordBuffer

  init(layout: PanelLayout, shape: HeadShape, setCount: Int) {
    presence = WordBuffer(count: setCount * PanelLayout.unit)
    self.layout = layout
    self.shape = shape
    let buffers = { shape.layers.map { WordBuffer(count: $0.outputs * PanelLayout.unit) } }
    outputs = buffers()
    gradients = buffers()
    targets = WordBuffer(count: (shape.layers.last?.outputs ?? 0) * PanelLayout.unit)
    biases = WordBuffer(count: shape.layers.last?.outputs ?? 0)
    let widest = shape.layers.map(\.outputs).max() ?? 0
    numbers = WordBuffer(count: layout.numbersPerWord > 1 ? (widest + 1) * PanelLayout.unit : 0)
    panels = WordBuffer(count: layout.panelWords(inputs: widest, outputs: PanelLayout.unit))
  }

  /// [unit]: 1 for samples that a set learns from.
  func presence(of set: Int) -> UnsafeMutablePointer<Float> { presence.floats + set * PanelLayout.unit }

  /// Marks the samples of a unit that each set learns from.
  ///
  /// - Parameters:
  ///   - memberships: runs of a batch's samples that the same sets learn from, by their ends, with these sets as bits.
  ///   - rows: the unit's samples in the batch.
  func markPresence(_ memberships: [(end: Int, sets: UInt32)], in rows: Range<Int>) {
    presence.start.update(repeating: 0, count: presence.count)
    var first = 0
    for (end, sets) in memberships {
      let run = (first..<end).clamped(to: rows)
      forEachSet(in: sets) { set in
        (presence(of: set) + run.lowerBound - rows.lowerBound).update(repeating: 1, count: run.count)
      }
      first = end
    }
  }

  /// Words of a row of rounded numbers.
  private var stride: Int { PanelLayout.unit / layout.numbersPerWord }

  /// [rows, unit] floats as the numbers that are multiplied, until the next call; where numbers share a word, with a row of
  /// zeros behind them.
  fileprivate func rounded(_ values: WordBuffer, rows: Int) -> UnsafePointer<UInt32> {
    guard layout.numbersPerWord > 1 else { return UnsafePointer(values.start) }
    layout.write(values.floats, count: rows * PanelLayout.unit, to: numbers.start, at: 0)
    (numbers.start + rows * stride).update(repeating: 0, count: stride)
    return UnsafePointer(numbers.start)
  }

  /// Rounded rows as panels whose outputs are the unit's samples.
  fileprivate func samplePanels(
    _ rounded: UnsafePointer<UInt32>, rows: Int, width: Int
  ) -> UnsafePointer<UInt32> {
    layout.packColumns(
      rounded, stride: stride, rows: rows, columns: width, panelWordCount: layout.words(rows),
      into: panels.start)
    return UnsafePointer(panels.start)
  }

  /// Rounded rows as outputs of panels over a batch.
  fileprivate func packRows(
    _ rounded: UnsafePointer<UInt32>, rows: Int, width: Int, firstRow: Int, batchRows: Int,
    into target: WordBuffer
  ) {
    layout.packRows(
      rounded, stride: stride, rows: rows, words: layout.words(width),
      firstWord: firstRow / layout.numbersPerWord, panelWordCount: layout.words(batchRows), into: target.start
    )
  }

  /// Writes rounded rows into rows of a batch.
  fileprivate func copyRows(
    _ rounded: UnsafePointer<UInt32>, rows: Int, width: Int, firstRow: Int, rowCapacity: Int,
    into target: WordBuffer
  ) {
    let (from, to) = (stride, rowCapacity / layout.numbersPerWord)
    for row in 0..<rows {
      (target.start + row * to + firstRow / layout.numbersPerWord).update(
        from: rounded + row * from, count: layout.words(width))
    }
  }
}

/// Where a unit of samples lies in its batch.
struct UnitPlace {
  let number: Int
  let firstRow: Int
  /// Samples with the zeros that fill the last panel.
  let width: Int
  let batchRows: Int
  /// The column of the unit's targets and presence that belongs to `firstRow`.
  let column: Int
}

extension HeadMember {
  /// What is dropped in a step; nil drops nothing.
  struct Dropout {
    let probability: Float
    let seed: UInt64
  }

  /// Leaves each layer's outputs in `scratch`; the logits, the last, without their biases. The product of the first layer asks
  /// for memory: `ahead`.
  func forward(
    _ place: UnitPlace, vectors: UnsafePointer<UInt32>, dropout: Dropout?, isLearned: Bool,
    ahead: UnsafeMutablePointer<kernels_ahead>? = nil, scratch: PassScratch
  ) {
    var panels = vectors
    for (index, layer) in layers.enumerated() {
      let output = scratch.outputs[index]
      scratch.layout.multiply(
        layer.multiplied, stride: layer.inputStride, rows: layer.outputs, panels: panels,
        inputs: layer.inputs,
        outputs: place.width, into: output.floats, outStride: PanelLayout.unit,
        ahead: index == 0 ? ahead : nil)
      guard index + 1 < layers.count else { return }
      for row in 0..<layer.outputs {
        let values = output.floats + row * PanelLayout.unit
        let bias = layer.effectiveBias(of: row)
        if let dropout {
          // The pattern is that of [outputs, batch], in whatever units it is made.
          let first = UInt64(index) << 56 ^ UInt64(row * place.batchRows + place.firstRow)
          training_rectify_drop(
            values, place.width, bias, dropout.probability, dropout.seed &+ first &* 0x9E37_79B9_7F4A_7C15)
        } else {
          training_rectify(values, place.width, bias)
        }
      }
      let rounded = scratch.rounded(output, rows: layer.outputs)
      if isLearned, let activations = layers[index + 1].activations {
        scratch.packRows(
          rounded, rows: layer.outputs, width: place.width, firstRow: place.firstRow,
          batchRows: place.batchRows, into: activations)
      }
      panels = scratch.samplePanels(rounded, rows: layer.outputs, width: place.width)
    }
  }

  /// Leaves nothing of a unit, where the head learns from none of its samples.
  func passOver(_ unit: Int) {
    losses.start[unit] = 0
    for layer in layers {
      (layer.biasSums.start + unit * layer.outputs).update(repeating: 0, count: layer.outputs)
    }
  }

  /// Leaves the loss, and the gradients of all layers' outputs, of a unit whose outputs are in `scratch`.
  ///
  /// - Parameters:
  ///   - positiveWeights: of each class.
  ///   - scale: of the gradient: 1 / (samples of the batch that the head learns from x losses of a sample).
  ///   - kept: 1 - dropout.
  func backward(
    _ place: UnitPlace, loss: HeadLoss.Kernel, positiveWeights: [Float], scale: Float, kept: Float,
    scratch: PassScratch
  ) {
    switch loss {
    case .perClass(let loss):
      findLosses(place, loss, positiveWeights: positiveWeights, scale: scale, scratch: scratch)
    case .softmax(let smoothing):
      let last = layers.count - 1
      withSoftmax(scratch, weights: positiveWeights, smoothing: smoothing) { classes in
        training_softmax_loss(
          &classes, place.width, scratch.outputs[last].floats, scratch.targets.floats + place.column,
          scratch.presence(of: set) + place.column, scale, scratch.gradients[last].floats,
          losses.start + place.number,
          layers[last].biasSums.start + place.number * layers[last].outputs)
      }
    }
    for (index, layer) in layers.enumerated().reversed() {
      let rounded = scratch.rounded(scratch.gradients[index], rows: layer.outputs)
      scratch.copyRows(
        rounded, rows: layer.outputs, width: place.width, firstRow: place.firstRow,
        rowCapacity: layer.rowCapacity, into: layer.gradients)
      guard index > 0, let transposed = layer.transposed else { return }
      let before = scratch.gradients[index - 1]
      scratch.layout.multiply(
        transposed.start, stride: layer.outputStride, rows: layer.inputs,
        panels: scratch.samplePanels(rounded, rows: layer.outputs, width: place.width), inputs: layer.outputs,
        outputs: place.width, into: before.floats, outStride: PanelLayout.unit)
      for row in 0..<layer.inputs {
        let at = row * PanelLayout.unit
        layers[index - 1].biasSums.start[place.number * layer.inputs + row] = Double(
          training_rectify_backward(
            before.floats + at, scratch.outputs[index - 1].floats + at, place.width, 1 / kept))
      }
    }
  }

  private func findLosses(
    _ place: UnitPlace, _ loss: training_loss, positiveWeights: [Float], scale: Float, scratch: PassScratch
  ) {
    let last = layers.count - 1
    let layer = layers[last]
    let (logits, gradients) = (scratch.outputs[last].floats, scratch.gradients[last].floats)
    let (targets, presence) = (
      scratch.targets.floats + place.column, scratch.presence(of: set) + place.column
    )
    let biasSums = layer.biasSums.start + place.number * layer.outputs
    var loss = loss
    var sums = (0.0, 0.0)
    var total = 0.0
    for row in 0..<layer.outputs {
      let at = row * PanelLayout.unit
      sums = (0, 0)
      withUnsafeMutableBytes(of: &sums) { sums in
        training_loss_row(
          &loss, place.width, logits + at, layer.effectiveBias(of: row), positiveWeights[row], targets + at,
          presence, scale, gradients + at, sums.assumingMemoryBound(to: Double.self).baseAddress)
      }
      total += sums.0
      biasSums[row] = sums.1
    }
    losses.start[place.number] = total
  }

  /// The classes of the last layer as kernels of softmax take them.
  private func withSoftmax(
    _ scratch: PassScratch, weights: [Float], smoothing: Float,
    _ body: (inout training_softmax_classes) -> Void
  ) {
    guard let last = layers.last else { return }
    for row in 0..<last.outputs { scratch.biases.floats[row] = last.effectiveBias(of: row) }
    weights.withUnsafeBufferPointer { weights in
      var classes = training_softmax_classes(
        count: last.outputs, stride: PanelLayout.unit, biases: scratch.biases.floats,
        weights: weights.baseAddress, smoothing: smoothing)
      body(&classes)
    }
  }

  /// Adds, for each class, how many of the first samples of a unit are hit, missed and wrong, by outputs in `scratch`.
  /// - Shape: `counts` is [classes, 3].
  func count(
    _ samples: Int, task: ClassificationTask, scratch: PassScratch, into counts: UnsafeMutablePointer<UInt64>
  ) {
    guard let last = layers.last else { return }
    let logits = scratch.outputs[layers.count - 1].floats
    switch task {
    case .single:
      withSoftmax(scratch, weights: [], smoothing: 0) { classes in
        training_count_likeliest(
          &classes, samples, logits, scratch.targets.floats, scratch.presence(of: set), counts)
      }
    case .multi:
      for row in 0..<last.outputs {
        let at = row * PanelLayout.unit
        training_count(
          logits + at, last.effectiveBias(of: row), scratch.targets.floats + at, scratch.presence(of: set),
          samples, counts + row * 3)
      }
    }
  }
}
