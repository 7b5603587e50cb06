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
          var membership = ListMembership(table, rowLimit: Self.rowsPerBatch)
          for batch in batches * lane / lanes..<batches * (lane + 1) / lanes {
            let first = batch * Self.rowsPerBatch
            let rows = min(Self.rowsPerBatch, rowCount - first)
            guard let vectors = sample.baseAddress, let lists = target.baseAddress else { return }
            membership.find(of: vectors + first * table.width, rows: rows, listsPerRow: 1, lists + first)
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
    for list in 0..<listCount where order.places(in: list).count > order.places(in: largest).count {
      largest = list
    }
    let spare = order.places(in: largest)
    return [Float](unsafeUninitializedCapacity: listCount * width) { target, initialized in
      nonisolated(unsafe) let target = target
      sample.withUnsafeBufferPointer { sample in
        nonisolated(unsafe) let sample = sample
        DispatchQueue.concurrentPerform(iterations: threads) { lane in
          for list in listCount * lane / threads..<listCount * (lane + 1) / threads {
            let mean = UnsafeMutableBufferPointer(rebasing: target[list * width..<(list + 1) * width])
            mean.initialize(repeating: 0)
            var rows = order.places(in: list)
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
