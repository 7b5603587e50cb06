import Kernels

/// Mean and spread of every dimension over the training samples: a head sees (x - mean) * scale.
struct Standardization: Sendable, Equatable {
  let mean: [Float]
  /// 1 / population standard deviation; 1 for a constant dimension.
  let scale: [Float]

  /// Samples that are read at once.
  private static let batchSize = 256
  /// Different memberships in sets that sums are kept for at a time: repeated folds of single samples have as many as
  /// samples.
  private static let patternLimit = 1024

  /// Fits mean and scale to these samples, whose vectors are finite, in one pass.
  init(_ source: some SampleVectors, samples: [Int32], labels: LabelTable) {
    let set = TrainingSet(samples: samples)
    self = Self.fit(source, sets: [set], stream: SampleStream(sets: [set], labels: labels)).all
  }

  /// Fits to the samples of each set, and to all of them, in one pass over the vectors.
  static func fit(
    _ source: some SampleVectors, sets: [TrainingSet], stream: SampleStream
  ) -> (all: Standardization, ofSets: [Standardization]) {
    let dimension = source.dimension
    // The first sample as shift keeps the one-pass variance accurate when the mean is far from zero.
    var shift = [Float](repeating: 0, count: dimension)
    shift.withUnsafeMutableBufferPointer { source.gather(stream.samples.prefix(1), into: $0) }
    // Samples of the same sets are summed together, as long as these are few; their sums then go to each set's.
    var moments: [UInt32: Moments] = [:]
    let all = Moments(dimension: dimension)
    let ofSets = sets.count > 1 ? sets.map { _ in Moments(dimension: dimension) } : []
    func addToTotals() {
      for (members, sums) in moments.sorted(by: { $0.key < $1.key }) {
        all.add(sums)
        for (set, total) in ofSets.enumerated() where members >> UInt32(set) & 1 == 1 { total.add(sums) }
      }
      moments.removeAll(keepingCapacity: true)
    }
    let batch = FloatBuffer(count: batchSize * dimension)
    for start in stride(from: 0, to: stream.samples.count, by: batchSize) {
      let slice = stream.samples[start..<min(start + batchSize, stream.samples.count)]
      source.gather(slice, into: batch.values)
      for (row, sample) in slice.enumerated() {
        let sets = stream.sets(of: sample)
        let known = moments[sets]
        let sums = known ?? Moments(dimension: dimension)
        if known == nil { moments[sets] = sums }
        sums.add(batch.start + row * dimension, shift: shift)
        if moments.count == patternLimit { addToTotals() }
      }
    }
    addToTotals()
    let ofAll = Standardization(all, shift: shift)
    return (ofAll, sets.count > 1 ? ofSets.map { Standardization($0, shift: shift) } : [ofAll])
  }

  private init(_ moments: Moments, shift: [Float]) {
    var mean = shift
    var scale = shift
    let count = Double(moments.count)
    for index in shift.indices {
      let offset = moments.sum.start[index] / count
      let center = Double(shift[index]) + offset
      let deviation = max(moments.squares.start[index] / count - offset * offset, 0).squareRoot()
      // A spread below float32's resolution of the mean is rounding, not signal.
      let resolution = max(abs(center) * Double(Float.ulpOfOne), Double(Float.leastNormalMagnitude))
      mean[index] = Float(center)
      scale[index] = deviation > resolution ? Float(1 / deviation) : 1
    }
    self.mean = mean
    self.scale = scale
  }

  /// Sums of vectors less a shift, and of their squares.
  private final class Moments {
    let dimension: Int
    let sum: SumBuffer
    let squares: SumBuffer
    var count = 0

    init(dimension: Int) {
      self.dimension = dimension
      sum = SumBuffer(count: dimension)
      squares = SumBuffer(count: dimension)
    }

    func add(_ vector: UnsafePointer<Float>, shift: [Float]) {
      training_moments(vector, 1, dimension, shift, sum.start, squares.start)
      count += 1
    }

    func add(_ other: Moments) {
      for index in 0..<dimension {
        sum.start[index] += other.sum.start[index]
        squares.start[index] += other.squares.start[index]
      }
      count += other.count
    }
  }
}
