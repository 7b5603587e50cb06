import Dispatch
import Kernels

/// The centres of lists, by k-means over a sample of rotated vectors.
struct ListTraining {
  private static let rowsPerBatch = 64

  let width: Int
  let listCount: Int
  let threads: Int

  /// - Shape: `sample` is [rows, width] with at least `listCount` rows; the result is [listCount, width].
  /// - Parameter progress: called after each iteration; a throw ends the training.
  /// - Complexity: O(iterations * rows * lists * width / threads).
  func centres(
    of sample: [Float], iterations: Int, progress: () throws -> Void = {}
  ) throws -> [Float] {
    let rowCount = sample.count / width
    precondition(rowCount >= listCount)
    // Samples are taken in order of rows: equal steps through them meet every plate.
    var centres: [Float] = []
    for list in 0..<listCount {
      let row = list * rowCount / listCount
      centres.append(contentsOf: sample[row * width..<(row + 1) * width])
    }
    for _ in 0..<iterations {
      let table = CentreTable(centres, width: width)
      let lists = nearestLists(of: sample, table)
      centres = means(of: sample, in: lists)
      try progress()
    }
    return centres
  }

  private func nearestLists(of sample: [Float], _ table: CentreTable) -> [UInt32] {
    let rowCount = sample.count / width
    return [UInt32](unsafeUninitializedCapacity: rowCount) { target, initialized in
      nonisolated(unsafe) let target = target
      let batches = (rowCount + Self.rowsPerBatch - 1) / Self.rowsPerBatch
      sample.withUnsafeBufferPointer { sample in
        nonisolated(unsafe) let sample = sample
        let lanes = min(threads, batches)
        DispatchQueue.concurrentPerform(iterations: lanes) { lane in
          var assignment = ListAssignment(table, rowLimit: Self.rowsPerBatch)
          for batch in batches * lane / lanes..<batches * (lane + 1) / lanes {
            let first = batch * Self.rowsPerBatch
            let rows = min(Self.rowsPerBatch, rowCount - first)
            guard let vectors = sample.baseAddress, let lists = target.baseAddress else { return }
            assignment.assign(vectors + first * table.width, rows: rows, lists + first)
          }
        }
      }
      initialized = rowCount
    }
  }

  /// The mean of each list's rows. A list without rows takes one of the largest list.
  private func means(of sample: [Float], in lists: [UInt32]) -> [Float] {
    let order = ListOrder(of: lists, listCount: listCount)
    var largest = 0
    for list in 0..<listCount where order.rows(of: list).count > order.rows(of: largest).count {
      largest = list
    }
    let spare = order.rows(of: largest)
    return [Float](unsafeUninitializedCapacity: listCount * width) { target, initialized in
      nonisolated(unsafe) let target = target
      sample.withUnsafeBufferPointer { sample in
        nonisolated(unsafe) let sample = sample
        DispatchQueue.concurrentPerform(iterations: threads) { lane in
          for list in listCount * lane / threads..<listCount * (lane + 1) / threads {
            let mean = UnsafeMutableBufferPointer(rebasing: target[list * width..<(list + 1) * width])
            mean.initialize(repeating: 0)
            var rows = order.rows(of: list)
            if rows.isEmpty { rows = spare.dropFirst(list % spare.count).prefix(1) }
            let share = 1 / Float(rows.count)
            for row in rows {
              for index in 0..<width { mean[index] += sample[Int(row) * width + index] * share }
            }
          }
        }
      }
      initialized = listCount * width
    }
  }
}

/// Finds the list whose centre is nearest to each of some vectors; one for each thread.
struct ListAssignment {
  private let table: CentreTable
  private let scratch = CentreTable.Scratch()
  private var scores: [Float]
  private var values: [Float]

  init(_ table: CentreTable, rowLimit: Int) {
    self.table = table
    scores = [Float](repeating: 0, count: rowLimit * table.scoreStride)
    values = [Float](repeating: 0, count: rowLimit)
  }

  /// - Shape: `vectors` is [rows, width], `lists` is [rows].
  mutating func assign(
    _ vectors: UnsafePointer<Float>, rows: Int, _ lists: UnsafeMutablePointer<UInt32>
  ) {
    scores.withUnsafeMutableBufferPointer { scores in
      guard let base = scores.baseAddress else { return }
      table.score(vectors, rows: rows, into: base, scratch)
      kernels_largest(base, rows, table.count, table.scoreStride, lists, &values)
    }
  }
}

/// The positions of rows in order of their lists, and of themselves within a list.
struct ListOrder {
  /// List l has positions[bounds[l]..<bounds[l + 1]].
  private(set) var bounds: [UInt32]
  private(set) var positions: [UInt32]

  init(of lists: [UInt32], listCount: Int) {
    bounds = [UInt32](repeating: 0, count: listCount + 1)
    for list in lists { bounds[Int(list) + 1] += 1 }
    for list in 0..<listCount { bounds[list + 1] += bounds[list] }
    var next = bounds
    positions = [UInt32](repeating: 0, count: lists.count)
    for (position, list) in lists.enumerated() {
      positions[Int(next[Int(list)])] = UInt32(position)
      next[Int(list)] += 1
    }
  }

  func rows(of list: Int) -> ArraySlice<UInt32> { positions[Int(bounds[list])..<Int(bounds[list + 1])] }
}
