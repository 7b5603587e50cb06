import Kernels

/// Mean and spread of every dimension over the training samples: a head sees (x - mean) * scale.
struct Standardization: Sendable, Equatable {
  let mean: [Float]
  /// 1 / population standard deviation; 1 for a constant dimension.
  let scale: [Float]

  /// Whether the vectors were: a number that is none leaves a mean that is none.
  var isFinite: Bool { mean.allSatisfy(\.isFinite) }

  /// Samples that are read at once.
  private static let batchSize = 256
  /// Samples whose sums are made by one thread; sums of parts are added in order, whoever made them.
  private static let partSize = 8192
  /// Different memberships in sets that sums are kept for at a time: repeated folds of single samples have as many as
  /// samples.
  private static let patternLimit = 1024

  /// Fits mean and scale to these samples, whose vectors are finite, in one pass.
  /// - Throws: as `ScratchTable`.
  init(_ source: some SampleVectors, samples: some Sequence<Int32>, labels: LabelTable) throws {
    let set = TrainingSet(samples: SampleSet(samples))
    self = Self.fit(source, sets: [set], stream: try SampleStream(sets: [set], labels: labels)).all
  }

  /// Fits to the samples of each set, and to all of them, in one pass over the vectors.
  static func fit(
    _ source: some SampleVectors, sets: [TrainingSet], stream: SampleStream, threads: Int = 1
  ) -> (all: Standardization, ofSets: [Standardization]) {
    let dimension = source.dimension
    // The first sample as shift keeps the one-pass variance accurate when the mean is far from zero.
    var shift = [Float](repeating: 0, count: dimension)
    shift.withUnsafeMutableBufferPointer { source.gather(Array(stream.samples.prefix(1))[...], into: $0) }
    let origin = shift
    let totals = SetMoments(dimension: dimension, setCount: sets.count)
    let starts = Array(stride(from: 0, to: stream.samples.count, by: partSize))
    for first in stride(from: 0, to: starts.count, by: max(threads, 1)) {
      let some = starts[first..<min(first + max(threads, 1), starts.count)]
      let sums = concurrentMap(some.count, threads: threads) { index in
        let start = some[first + index]
        let moments = SetMoments(dimension: dimension, setCount: sets.count)
        moments.add(
          stream.samples[start..<min(start + partSize, stream.samples.count)], of: source, stream: stream,
          shift: origin)
        return moments
      }
      for part in sums { totals.add(part) }
    }
    let ofAll = Standardization(totals.all, shift: origin)
    return (ofAll, sets.count > 1 ? totals.ofSets.map { Standardization($0, shift: origin) } : [ofAll])
  }

  /// Sums over samples, all of them and those of each set.
  // Shared: handed from the thread that made it to the one that adds it up, one at a time. Hence @unchecked Sendable.
  private final class SetMoments: @unchecked Sendable {
    let all: Moments
    /// Empty for one set, whose samples are all.
    let ofSets: [Moments]

    init(dimension: Int, setCount: Int) {
      all = Moments(dimension: dimension)
      ofSets = setCount > 1 ? (0..<setCount).map { _ in Moments(dimension: dimension) } : []
    }

    func add(_ other: SetMoments) {
      all.add(other.all)
      for (own, others) in zip(ofSets, other.ofSets) { own.add(others) }
    }

    func add(
      _ samples: Slice<ScratchTable<Int32>>, of source: some SampleVectors, stream: SampleStream,
      shift: [Float]
    ) {
      // Samples of the same sets are summed together, as long as these are few; their sums then go to each set's.
      var moments: [UInt32: Moments] = [:]
      func addToTotals() {
        for (members, sums) in moments.sorted(by: { $0.key < $1.key }) {
          all.add(sums)
          for (set, total) in ofSets.enumerated() where members >> UInt32(set) & 1 == 1 { total.add(sums) }
        }
        moments.removeAll(keepingCapacity: true)
      }
      let dimension = source.dimension
      let batch = FloatBuffer(count: min(batchSize, samples.count) * dimension)
      for start in stride(from: samples.startIndex, to: samples.endIndex, by: batchSize) {
        let slice = Array(samples[start..<min(start + batchSize, samples.endIndex)])[...]
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
    }
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
