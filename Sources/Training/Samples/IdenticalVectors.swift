import Identity

/// Samples whose vectors are those of a sample of another group, bit for bit: copies of an image under two names, or of
/// a cell. Folds cannot keep them apart, so one may teach what the other tests.
struct IdenticalVectors: Sendable {
  /// Samples that have a double in another group.
  let count: Int
  /// The first such pair; nil when there is none.
  let example: (Int32, Int32)?

  private static let batchSize = 1024

  /// - Parameter groups: the group of each sample.
  init(in source: some SampleVectors, groups: [Int32]) {
    precondition(groups.count == source.count)
    let dimension = source.dimension
    let batch = FloatBuffer(count: Self.batchSize * dimension)
    let samples = Array(0..<Int32(source.count))
    var first: [ContentHash: Int32] = [:]
    var doubles: [ContentHash: [Int32]] = [:]
    for start in stride(from: 0, to: samples.count, by: Self.batchSize) {
      let slice = samples[start..<min(start + Self.batchSize, samples.count)]
      source.gather(slice, into: batch.values)
      for (position, sample) in slice.enumerated() {
        let vector = batch.values[position * dimension..<(position + 1) * dimension]
        let hash = ContentHash(of: UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: vector)))
        if let known = first[hash] {
          doubles[hash, default: [known]].append(sample)
        } else {
          first[hash] = sample
        }
      }
    }
    let apart = doubles.values.filter { Set($0.map { groups[Int($0)] }).count > 1 }.sorted { $0[0] < $1[0] }
    count = apart.reduce(0) { $0 + $1.count }
    example = apart.first.flatMap { members in
      members.first { groups[Int($0)] != groups[Int(members[0])] }.map { (members[0], $0) }
    }
  }
}
