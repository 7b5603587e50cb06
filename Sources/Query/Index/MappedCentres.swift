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
  /// All but the last of the same size; at least one.
  private let runs: [Run]

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
  }

  func score(
    _ vectors: UnsafePointer<Float>, rows: Int, into scores: UnsafeMutablePointer<Float>,
    _ scratch: CentreTable.Scratch
  ) {
    for run in runs {
      for (place, list) in run.lists.enumerated() {
        let centre = run.centres + place * width
        // While it is in the cache: all of them are some megabytes.
        let bias = bias(of: centre)
        for row in 0..<rows {
          scores[row * scoreStride + list] =
            kernels_inner_product(width, vectors + row * width, centre) + bias
        }
      }
    }
  }

  func innerProduct(with centre: Int, score: Float) -> Float {
    let (run, place) = centre.quotientAndRemainder(dividingBy: runs[0].lists.count)
    return score - bias(of: runs[run].centres + place * width)
  }

  /// Half of the square of a centre's length, below 0.
  private func bias(of centre: UnsafePointer<Float>) -> Float {
    -kernels_inner_product(width, centre, centre) / 2
  }
}
