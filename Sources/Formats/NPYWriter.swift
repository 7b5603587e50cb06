package import Faults

/// Writes vectors to a NumPy array file (version 1.0, data on a 64-byte boundary), which appears when it is
/// complete. `numpy.load(path, mmap_mode="r")` reads it.
///
/// - Shape: [rows written, dimension], or [rows written] and the extents of a row, float32, little-endian,
///   row-major.
package struct NPYWriter: ~Copyable {
  /// Numbers in a row.
  package let dimension: Int
  package private(set) var count = 0
  private let rowShape: [Int]
  private var file: AtomicFile

  package init(path: String, dimension: Int) throws(Fault) {
    try self.init(path: path, rowShape: [dimension])
  }

  /// - Parameter rowShape: the extents of what one index of the first axis selects.
  package init(path: String, rowShape: [Int]) throws(Fault) {
    precondition(!rowShape.isEmpty && rowShape.allSatisfy { $0 > 0 })
    self.rowShape = rowShape
    dimension = rowShape.reduce(1, *)
    var file = try AtomicFile(path: path)
    try file.write(NPYHeader.encoded(shape: [0] + rowShape))
    self.file = file
  }

  /// Appends whole rows.
  package mutating func write(_ rows: UnsafeBufferPointer<Float>) throws(Fault) {
    precondition(rows.count % dimension == 0)
    try file.write(UnsafeRawBufferPointer(rows))
    count += rows.count / dimension
  }

  package mutating func write(_ rows: [Float]) throws(Fault) {
    try rows.span.withUnsafeBufferPointer { (rows) throws(Fault) in try write(rows) }
  }

  /// Completes the file. Without it, nothing is left behind.
  package consuming func close() throws(Fault) {
    try file.overwrite(NPYHeader.encoded(shape: [count] + rowShape), at: 0)
    try file.commit()
  }
}
