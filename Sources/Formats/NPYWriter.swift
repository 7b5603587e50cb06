package import Faults

/// Writes vectors to a NumPy array file (version 1.0, data on a 64-byte boundary), which appears when it is
/// complete. `numpy.load(path, mmap_mode="r")` reads it.
///
/// - Shape: [rows written, dimension] float32, little-endian, row-major.
package struct NPYWriter: ~Copyable {
  package let dimension: Int
  package private(set) var count = 0
  private var file: AtomicFile

  package init(path: String, dimension: Int) throws(Fault) {
    precondition(dimension > 0)
    self.dimension = dimension
    var file = try AtomicFile(path: path)
    try file.write(NPYHeader.encoded(shape: [0, dimension]))
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
    try file.overwrite(NPYHeader.encoded(shape: [count, dimension]), at: 0)
    try file.commit()
  }
}
