import Faults
import Kernels
package import Query

/// A trained classifier: from a vector to one probability a class.
package struct Head: Sendable, Equatable {
  /// One dense layer, y = weights x + biases.
  struct Layer: Sendable, Equatable {
    let inputs: Int
    let outputs: Int
    /// [outputs, inputs], row-major.
    let weights: [Float]
    let biases: [Float]

    var isFinite: Bool { weights.allSatisfy(\.isFinite) && biases.allSatisfy(\.isFinite) }

    /// The same for raw inputs, where this takes standardised ones:
    /// w (x - mean) scale + b = (w scale) x + (b - sum of w scale mean).
    func folding(_ standardization: Standardization) -> Layer {
      var (weights, biases) = (weights, biases)
      for output in biases.indices {
        var shift = 0.0
        for input in 0..<inputs {
          let folded = weights[output * inputs + input] * standardization.scale[input]
          weights[output * inputs + input] = folded
          shift += Double(folded) * Double(standardization.mean[input])
        }
        biases[output] = Float(Double(biases[output]) - shift)
      }
      return Layer(inputs: inputs, outputs: outputs, weights: weights, biases: biases)
    }
  }

  /// Class names, in the order of the probabilities.
  package let classes: [String]
  package let architecture: HeadArchitecture
  /// Length of the vectors that the head takes.
  package let dimension: Int
  /// Whether it tells one class of a sample, or each class by itself.
  package let task: ClassificationTask
  /// What `ClassificationTask.decided` compares probabilities with, one a class.
  package var thresholds: [Float]
  /// How the mean probabilities of the members are corrected.
  package var calibration = HeadCalibration.none
  /// What makes a sample's vector of its cells'; nil where it is their mean, or a cell's own.
  package var attention: CellAttention?
  /// The layers of each head of the ensemble, at least one, or none where neighbors vote. The first layer takes raw
  /// vectors: the standardisation is folded into it.
  let members: [[Layer]]
  /// Who votes in place of layers; nil of a head that has some.
  let neighbors: NeighborHead?

  init(
    classes: [String], architecture: HeadArchitecture, dimension: Int, thresholds: [Float],
    members: [[Layer]], task: ClassificationTask = .multi
  ) {
    self.classes = classes
    self.architecture = architecture
    self.dimension = dimension
    self.task = task
    self.thresholds = thresholds
    self.members = members
    neighbors = nil
  }

  /// A head whose nearest voters vote.
  init(classes: [String], neighbors: NeighborHead, thresholds: [Float], task: ClassificationTask) {
    precondition(neighbors.voters.labels.classCount == classes.count)
    self.classes = classes
    architecture = .linear
    dimension = neighbors.voters.dimension
    self.task = task
    self.thresholds = thresholds
    members = []
    self.neighbors = neighbors
  }

  /// The layers of these trained parameters, which act on standardised vectors, as layers of raw ones.
  static func layers(_ shape: HeadShape, parameters: [Float], standardization: Standardization) -> [Layer] {
    var layers = shape.layers.map {
      Layer(
        inputs: $0.inputs, outputs: $0.outputs, weights: Array(parameters[$0.weights]),
        biases: Array(parameters[$0.biases]))
    }
    layers[0] = layers[0].folding(standardization)
    return layers
  }

  /// Samples that go through the layers together: their vectors stay in the second cache.
  private static let batchSize = 128

  /// The probabilities of samples, all of them numbers.
  /// - Parameters:
  ///   - excluded: groups by number of the sample and of the voter, of a head of neighbors: voters of a sample's group do
  ///     not vote on it.
  ///   - threads: that look for neighbors.
  /// - Returns: as `probabilities`.
  /// - Throws: `badData` for vectors that lead to none: large ones, by large weights.
  package func finiteProbabilities(
    of samples: [Int32], in source: some SampleVectors, excluding excluded: ExcludedGroups? = nil,
    threads: Int = 1
  ) throws -> [Float] {
    var probabilities: [Float] = []
    probabilities.reserveCapacity(samples.count * classes.count)
    try forEachFiniteBatch(of: samples, in: source, excluding: excluded, threads: threads) {
      probabilities += $1
    }
    return probabilities
  }

  /// Of a head with layers.
  /// - Returns: [samples.count, classes.count], row-major, in the order of `samples`; each in [0, 1], those of one label
  ///   with the sum 1, or NaN where sums of products overflow.
  package func probabilities(of samples: [Int32], in source: some SampleVectors) -> [Float] {
    precondition(neighbors == nil)
    var probabilities: [Float] = []
    probabilities.reserveCapacity(samples.count * classes.count)
    forEachLayeredBatch(of: samples, in: source, withComplements: needsComplements) { _, batch, complements in
      correct(batch, complements)
      probabilities += batch
    }
    return probabilities
  }

  /// What the members say of samples on the mean, before the correction: for each probability p also 1 - p, but with one
  /// label a sample, whose correction does without.
  /// - Parameter threads: that look for neighbors.
  /// - Returns: both [samples.count, classes.count], row-major; no complements with one label.
  /// - Throws: as `finiteProbabilities`.
  func uncorrectedChances(
    of samples: [Int32], in source: some SampleVectors, threads: Int = 1
  ) throws -> (probabilities: [Float], complements: [Float]) {
    var (probabilities, complements): ([Float], [Float]) = ([], [])
    try forEachBatch(of: samples, in: source, withComplements: task == .multi, threads: threads) {
      _, batch, opposite in
      probabilities += batch
      if let opposite { complements += opposite }
    }
    if let bad = probabilities.firstIndex(where: \.isNaN) {
      throw Self.noProbability(ofSample: samples[bad / classes.count])
    }
    return (probabilities, complements)
  }

  /// Calls `body` with some samples after others and their probabilities, as `finiteProbabilities` gives them.
  /// - Parameters:
  ///   - excluded, threads: as there.
  ///   - body: a throw ends the work.
  /// - Throws: as `finiteProbabilities`, and what `body` throws.
  func forEachFiniteBatch(
    of samples: some Sequence<Int32>, in source: some SampleVectors,
    excluding excluded: ExcludedGroups? = nil,
    threads: Int = 1, _ body: (ArraySlice<Int32>, UnsafeMutableBufferPointer<Float>) throws -> Void
  ) throws {
    var bad: Int32?
    try forEachBatch(
      of: samples, in: source, excluding: excluded, withComplements: needsComplements, threads: threads
    ) { slice, batch, complements in
      correct(batch, complements)
      if bad == nil, let place = batch.firstIndex(where: \.isNaN) {
        bad = slice[slice.startIndex + place / classes.count]
      }
      try body(slice, batch)
    }
    if let bad { throw Self.noProbability(ofSample: bad) }
  }

  private static func noProbability(ofSample sample: Int32) -> Fault {
    Fault(
      .badData, "vector of sample \(sample)", expected: "a probability from the head",
      found: "NaN", remedy: "lower the learning rate, and check the vectors for extreme values")
  }

  private func correct(
    _ batch: UnsafeMutableBufferPointer<Float>, _ complements: UnsafeBufferPointer<Float>?
  ) {
    calibration.apply(to: batch, complements: complements, classCount: classes.count, task: task)
  }

  /// Calls `body` with some samples after others, the probabilities that layers or neighbors say and, where they are asked
  /// for, 1 - p.
  private func forEachBatch(
    of samples: some Sequence<Int32>, in source: some SampleVectors,
    excluding excluded: ExcludedGroups? = nil,
    withComplements: Bool, threads: Int,
    _ body: (
      ArraySlice<Int32>, UnsafeMutableBufferPointer<Float>, _ complements: UnsafeBufferPointer<Float>?
    ) throws -> Void
  ) throws {
    if let neighbors {
      try neighbors.forEachBatch(
        of: samples, in: source, excluding: excluded, withComplements: withComplements, threads: threads, body
      )
    } else {
      try forEachLayeredBatch(of: samples, in: source, withComplements: withComplements, body)
    }
  }

  /// Calls `body` with some samples after others, the means of the members' probabilities and, where they are asked for, of
  /// 1 - p.
  private func forEachLayeredBatch(
    of samples: some Sequence<Int32>, in source: some SampleVectors, withComplements: Bool,
    _ body: (
      ArraySlice<Int32>, UnsafeMutableBufferPointer<Float>, _ complements: UnsafeBufferPointer<Float>?
    ) throws -> Void
  ) rethrows {
    precondition(source.dimension == dimension)
    var rest = samples.makeIterator()
    var some: [Int32] = []
    func takeNext() -> ArraySlice<Int32> {
      some.removeAll(keepingCapacity: true)
      while some.count < Self.batchSize, let sample = rest.next() { some.append(sample) }
      return some[...]
    }
    var slice = takeNext()
    if slice.isEmpty { return }
    let rows = slice.count
    let batch = FloatBuffer(count: rows * dimension)
    let packed = members.map { $0.map { PackedLayer($0, rows: rows) } }
    let sums = FloatBuffer(count: rows * classes.count)
    let opposite = Opposite(count: withComplements ? rows * classes.count : 0)
    while !slice.isEmpty {
      source.gather(slice, into: batch.values)
      let count = slice.count * classes.count
      sums.values.update(repeating: 0)
      opposite.sums.values.update(repeating: 0)
      for layers in packed {
        let logits = layers.reduce(UnsafeMutablePointer(batch.start)) { input, layer in
          // ReLU between layers: what the one before left in its buffer.
          if layer !== layers.first { training_rectify(input, slice.count * layer.inputs, 0) }
          return layer.apply(to: input, rows: slice.count)
        }
        switch task {
        case .single: training_softmax(logits, slice.count, classes.count)
        case .multi:
          if withComplements { opposite.add(logits, count: count) }
          training_sigmoid(logits, count)
        }
        for index in 0..<count { sums.start[index] += logits[index] }
      }
      for index in 0..<count { sums.start[index] /= Float(members.count) }
      try body(
        slice, sums.values.extracting(0..<count),
        withComplements ? opposite.means(of: members.count).extracting(0..<count) : nil)
      slice = takeNext()
    }
  }
}

extension Head {
  /// Whether the calibration takes 1 - p beside p.
  private var needsComplements: Bool {
    if case .temperature = calibration { task == .multi } else { false }
  }

  /// The probabilities that a class is not a sample's: small ones that 1 - p would round away.
  private struct Opposite {
    let sums: FloatBuffer
    private let chances: FloatBuffer

    init(count: Int) {
      sums = FloatBuffer(count: count)
      chances = FloatBuffer(count: count)
    }

    func add(_ logits: UnsafePointer<Float>, count: Int) {
      for index in 0..<count { chances.start[index] = -logits[index] }
      training_sigmoid(chances.start, count)
      for index in 0..<count { sums.start[index] += chances.start[index] }
    }

    func means(of memberCount: Int) -> UnsafeBufferPointer<Float> {
      for index in 0..<sums.count { sums.start[index] /= Float(memberCount) }
      return UnsafeBufferPointer(sums.values)
    }
  }
}

/// A layer whose weights are packed for the product, with room for its results.
final class PackedLayer {
  let inputs: Int
  private let outputs: Int
  private let isa = kernels_active_isa()
  private let panels: FloatBuffer
  private let biases: FloatBuffer
  private let result: FloatBuffer

  init(_ layer: Head.Layer, rows: Int) {
    inputs = layer.inputs
    outputs = layer.outputs
    panels = FloatBuffer(count: kernels_panel_bytes(isa, KERNELS_F32, inputs, outputs) / 4)
    biases = FloatBuffer(count: kernels_panels(isa, outputs) * kernels_panel_columns(isa))
    result = FloatBuffer(count: rows * outputs)
    kernels_pack(isa, KERNELS_F32, layer.weights, inputs, inputs, outputs, nil, panels.start)
    for (index, bias) in layer.biases.enumerated() { biases.start[index] = bias }
  }

  /// - Returns: [rows, outputs], until the next call.
  func apply(to x: UnsafePointer<Float>, rows: Int) -> UnsafeMutablePointer<Float> {
    var product = kernels_product()
    product.number = KERNELS_F32
    product.inputs = inputs
    product.outputs = outputs
    product.panels = UnsafeRawPointer(panels.start)
    product.bias = UnsafePointer(biases.start)
    kernels_matmul(
      isa, &product, x, inputs * 4, rows, nil, KERNELS_STORE, KERNELS_F32, result.start, outputs * 4)
    return result.start
  }
}
