import Glibc
import Storage

/// Rows with a mark, few at a time.
final class RowMarks {
  private let words: UnsafeMutablePointer<UInt64>
  /// In order of their marks.
  private(set) var marked: [Row] = []

  init(limit: Row) throws {
    let count = Int(limit) / 64 + 1
    words = try untouchedMemory(for: count, of: UInt64.self)
  }

  deinit { free(words) }

  func contains(_ row: Row) -> Bool { words[Int(row / 64)] >> UInt64(row % 64) & 1 == 1 }

  /// - Parameter row: below the limit.
  /// - Returns: false where the row has a mark already.
  func insert(_ row: Row) -> Bool {
    if contains(row) { return false }
    words[Int(row / 64)] |= 1 << UInt64(row % 64)
    marked.append(row)
    return true
  }

  func clear() {
    for row in marked { words[Int(row / 64)] = 0 }
    marked.removeAll(keepingCapacity: true)
  }
}
