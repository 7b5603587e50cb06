/// The vectors of samples: of cells, or of what brings several together.
struct UnitVectors: Sendable {
  /// Those of the cells, or the means of the cells of each sample.
  let means: any SampleVectors
  /// The cells behind the means; nil where samples are cells.
  let bags: CellBags?

  /// - Parameter members: of each sample, its cells as positions in `cells`; nil where samples are the cells.
  init(of cells: some SampleVectors, members: [[Int32]]?) {
    guard let members else {
      means = cells
      bags = nil
      return
    }
    means = AveragedVectors(of: cells, members: members)
    bags = CellBags(cells: cells, members: members)
  }

  /// Those of the cells.
  var cells: any SampleVectors { bags?.cells ?? means }

  /// What a head's layers take: the samples as its attention sees them, else means.
  func seen(by head: Head) -> any SampleVectors {
    guard let bags, let attention = head.attention else { return means }
    return AttendedVectors(bags: bags, attention: attention)
  }
}

extension UnitVectors {
  private static let samplesAtOnce = 256

  /// The cell of each sample that a head's attention weighs most, of equal ones the first, by its position among the
  /// cells, with its weight; nil without attention.
  func mostAttended(of samples: [Int32], by head: Head) -> [(cell: Int32, weight: Float)]? {
    guard let bags, let attention = head.attention else { return nil }
    var found: [(cell: Int32, weight: Float)] = []
    found.reserveCapacity(samples.count)
    let vectors = FloatBuffer(count: min(Self.samplesAtOnce, samples.count) * attention.dimension)
    for start in stride(from: 0, to: samples.count, by: Self.samplesAtOnce) {
      let members = samples[start..<min(start + Self.samplesAtOnce, samples.count)].map {
        bags.members[Int($0)]
      }
      attention.pool(members, of: bags.cells, into: vectors.values) { sample, weights in
        let best = ClassificationTask.likeliest(weights[...]) ?? 0
        found.append((members[sample][best], weights[best]))
      }
    }
    return found
  }
}

/// The cells behind samples that bring several together.
struct CellBags: Sendable {
  /// The vectors of the cells.
  let cells: any SampleVectors
  /// Of each sample, its cells as positions in `cells`; none is empty.
  let members: [[Int32]]
}

/// Means of the cells of samples, under the weights of an attention; computed when they are asked for.
struct AttendedVectors: SampleVectors {
  let bags: CellBags
  let attention: CellAttention

  var dimension: Int { attention.dimension }
  var count: Int { bags.members.count }

  func gather(_ indices: ArraySlice<Int32>, into batch: UnsafeMutableBufferPointer<Float>) {
    attention.pool(indices.map { bags.members[Int($0)] }, of: bags.cells, into: batch) { _, _ in }
  }
}
