import Kernels
import Storage

/// The centres of an index's lists where they lie in the map, for the few queries for which a table would take longer to
/// make than it saves: a process with one query touches no memory of its own for them.
///
/// Shared between threads: nothing changes after `init`. Lives no longer than the index's snapshot.
final class MappedCentres: ScoredCentres, @unchecked Sendable {
  private struct Run {
    let lists: Range<Int>
    /// [lists, width], rotated.
    let centres: UnsafePointer<Float>
  }

  let count: Int
  let scoreStride: Int
  private let width: Int
  private let runs: [Run]
  /// Half of the square of each centre's length, below 0.
  private let bias: [Float]

  /// - Throws: `badData` when centres are missing.
  init(of index: StoredIndex) throws {
    count = index.record.listCount
    scoreStride = count
    width = index.width
    var runs: [Run] = []
    try index.forEachRunOfCentres { first, count, centres in
      runs.append(Run(lists: first..<first + count, centres: centres))
    }
    self.runs = runs
    let width = width
    bias = runs.flatMap { run in
      run.lists.indices.map { list in
        let centre = run.centres + (list - run.lists.lowerBound) * width
        return -kernels_inner_product(width, centre, centre) / 2
      }
    }
  }

  func score(
    _ vectors: UnsafePointer<Float>, rows: Int, into scores: UnsafeMutablePointer<Float>,
    _ scratch: CentreTable.Scratch
  ) {
    for run in runs {
      for row in 0..<rows {
        for (place, list) in run.lists.enumerated() {
          scores[row * scoreStride + list] =
            kernels_inner_product(width, vectors + row * width, run.centres + place * width) + bias[list]
        }
      }
    }
  }

  func innerProduct(with centre: Int, score: Float) -> Float { score - bias[centre] }
}
