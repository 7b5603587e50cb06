import Kernels
import Storage

/// The two lists around trained centres that each row is nearest to. Rows that share one are compared with each other.
struct GraphPartition {
  /// Rows of a list, on average.
  private static let rowsPerList = 500
  private static let sampleRowsPerList = 32
  private static let sampleByteLimit = 256 << 20
  private static let iterations = 8
  private static let rowsPerBatch = 64

  let listCount: Int
  let rows: [Row]
  /// The nearest list of each of the rows, and the next; the same where there is one list.
  let first: [UInt32]
  let second: [UInt32]

  init(of rows: RowSet, _ vectors: RotatedVectors, threads: Int) throws {
    self.rows = rows.toArray()
    let (all, width) = (self.rows, vectors.codeSpace.width)
    listCount = max(1, all.count / Self.rowsPerList)
    let count = min(
      all.count, listCount * Self.sampleRowsPerList, max(listCount, Self.sampleByteLimit / (4 * width)))
    var sample = [Float](repeating: 0, count: count * width)
    sample.withUnsafeMutableBufferPointer { sample in
      guard let base = sample.baseAddress else { return }
      inLanes(threads, of: count) { _, share in
        for place in share { vectors.copy(all[place * all.count / count], into: base + place * width) }
      }
    }
    let centres = try ListTraining(width: width, listCount: listCount, threads: threads)
      .centres(of: sample, iterations: Self.iterations)
    (first, second) = Self.nearestTwo(of: all, vectors, CentreTable(centres, width: width), threads: threads)
  }

  private static func nearestTwo(
    of rows: [Row], _ vectors: RotatedVectors, _ table: CentreTable, threads: Int
  ) -> ([UInt32], [UInt32]) {
    var first = [UInt32](repeating: 0, count: rows.count)
    var second = first
    first.withUnsafeMutableBufferPointer { first in
      second.withUnsafeMutableBufferPointer { second in
        guard let first = first.baseAddress, let second = second.baseAddress else { return }
        inLanes(threads, of: rows.count) { _, share in
          let batch = Batch(table, rowLimit: rowsPerBatch)
          for start in stride(from: share.lowerBound, to: share.upperBound, by: rowsPerBatch) {
            let count = min(rowsPerBatch, share.upperBound - start)
            for place in 0..<count {
              vectors.copy(rows[start + place], into: batch.vectors + place * table.width)
            }
            batch.nearestTwo(count, first + start, second + start)
          }
        }
      }
    }
    return (first, second)
  }

  /// Vectors that are compared with all centres together.
  private final class Batch {
    let vectors: UnsafeMutablePointer<Float>
    private let table: CentreTable
    private let scores: UnsafeMutablePointer<Float>
    private let values: UnsafeMutablePointer<Float>
    private let scratch = CentreTable.Scratch()

    init(_ table: CentreTable, rowLimit: Int) {
      self.table = table
      vectors = .allocate(capacity: rowLimit * table.width)
      scores = .allocate(capacity: rowLimit * table.scoreStride)
      values = .allocate(capacity: rowLimit)
    }

    deinit {
      vectors.deallocate()
      scores.deallocate()
      values.deallocate()
    }

    func nearestTwo(
      _ rows: Int, _ first: UnsafeMutablePointer<UInt32>, _ second: UnsafeMutablePointer<UInt32>
    ) {
      table.score(vectors, rows: rows, into: scores, scratch)
      kernels_largest(scores, rows, table.count, table.scoreStride, first, values)
      if table.count > 1 {
        for row in 0..<rows { scores[row * table.scoreStride + Int(first[row])] = -.infinity }
      }
      kernels_largest(scores, rows, table.count, table.scoreStride, second, values)
    }
  }
}
