package import Faults

/// Vectors in a NumPy array file (`numpy.save`), read in place.
///
/// - Shape: [count, dimension] float32, little-endian, row-major; an array of one axis is one vector.
package struct NPYMatrix: Sendable {
  package let path: String
  package let count: Int
  /// At least 1.
  package let dimension: Int
  private let array: NPYArray

  static let purpose = NPYArray.Purpose(
    axes: 1...2, description: "an array of shape (vectors, dimension)",
    remedy: "convert with x.reshape(len(x), -1)")

  /// - Throws: `badData` with what would convert the array when it is not of the shape and type above;
  ///   `missingInput` or `inputOutput` when the file cannot be read.
  package init(path: String) throws(Fault) {
    try self.init(NPYArray(path: path, for: Self.purpose), path: path)
  }

  /// - Parameter array: of one axis or two.
  init(_ array: NPYArray, path: String) throws(Fault) {
    self.path = path
    self.array = array
    let shape = array.shape
    (count, dimension) = shape.count == 2 ? (shape[0], shape[1]) : (1, shape[0])
    guard dimension > 0 else {
      throw Fault(
        .badData, path, expected: "vectors of at least one number", found: "shape \(NPYArray.spelled(shape))")
    }
  }

  /// All values; the buffer is valid during the call.
  package func withUnsafeValues<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try array.withUnsafeValues(body)
  }

  /// Calls `body` with some of the vectors, then gives their memory back: a file may be larger than the memory.
  /// - Shape: [rows.count, dimension]; valid during the call.
  package func readVectors<Result>(
    _ rows: Range<Int>, _ body: (UnsafeBufferPointer<Float>) throws -> Result
  ) rethrows -> Result {
    let values = rows.lowerBound * dimension..<rows.upperBound * dimension
    defer { array.releaseMemory(of: values) }
    return try array.withUnsafeValues { try body(UnsafeBufferPointer(rebasing: $0[values])) }
  }

  /// The first value that is NaN or infinite, in order of rows; nil when all are finite.
  package func firstNonFinite() -> (row: Int, column: Int)? {
    array.firstNonFinite().map { ($0 / dimension, $0 % dimension) }
  }
}
