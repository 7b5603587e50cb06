package import Faults

/// Vectors in a NumPy array file (`numpy.save`), read in place.
///
/// - Shape: [count, dimension] float32, little-endian, row-major; an array of one axis is one vector.
package struct NPYMatrix: Sendable {
  package let path: String
  package let count: Int
  /// At least 1.
  package let dimension: Int

  private enum Source: Sendable {
    case file(MappedFile, offset: Int)
    case array([Float])
  }
  private let source: Source

  /// - Throws: `badData` with what would convert the array when it is not of the shape and type above;
  ///   `missingInput` or `inputOutput` when the file cannot be read.
  package init(path: String) throws(Fault) {
    self.path = path
    let file = try MappedFile(path: path)
    let header = try NPYHeader(decoding: file.bytes, name: path)
    (count, dimension) = try Self.vectors(in: header, byteCount: file.bytes.count, path: path)

    if header.dataOffset % MemoryLayout<Float>.alignment == 0 {
      source = .file(file, offset: header.dataOffset)
    } else {
      // NumPy pads its headers; other writers need not, and floats off their boundary cannot be bound.
      let data = UnsafeRawBufferPointer(rebasing: file.bytes[header.dataOffset...])
      source = .array(
        (0..<count * dimension).map { data.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) })
    }
  }

  /// All values; the buffer is valid during the call.
  package func withUnsafeValues<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    switch source {
    case .array(let values):
      return try values.withUnsafeBufferPointer(body)
    case .file(let file, let offset):
      let data = UnsafeRawBufferPointer(rebasing: file.bytes[offset...])
      let values = data.assumingMemoryBound(to: Float.self)
      // The mapping must outlive its use.
      defer { withExtendedLifetime(file) {} }
      return try body(values)
    }
  }

  /// The first value that is NaN or infinite, in order of rows; nil when all are finite.
  package func firstNonFinite() -> (row: Int, column: Int)? {
    withUnsafeValues { values in
      let exponent: UInt32 = 0x7F80_0000
      guard let index = values.firstIndex(where: { $0.bitPattern & exponent == exponent }) else { return nil }
      return (index / dimension, index % dimension)
    }
  }

  /// Checks that an array holds float32 vectors and that the file has just the bytes for them.
  private static func vectors(
    in header: NPYHeader, byteCount: Int, path: String
  ) throws(Fault) -> (count: Int, dimension: Int) {
    guard header.elementType == "<f4" else {
      let found = header.elementType.map { "'\($0)'" } ?? "records of several fields"
      throw Fault(
        .badData, path, expected: "float32 ('<f4')", found: found,
        remedy: header.elementType == ">f4"
          ? "its bytes are big-endian; convert with x.astype('<f4')" : "convert with x.astype('float32')")
    }
    let shape = header.shape
    let spelled = "(" + shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? ",)" : ")")
    guard shape.count == 1 || shape.count == 2 else {
      throw Fault(
        .badData, path, expected: "an array of shape (vectors, dimension)", found: "shape \(spelled)",
        remedy: "convert with x.reshape(len(x), -1)")
    }
    guard !header.isFortranOrder || shape.count == 1 else {
      throw Fault(
        .badData, path, expected: "rows one after another (C order)", found: "columns (Fortran order)",
        remedy: "convert with numpy.ascontiguousarray(x)")
    }
    let (count, dimension) = shape.count == 2 ? (shape[0], shape[1]) : (1, shape[0])
    guard dimension > 0 else {
      throw Fault(.badData, path, expected: "vectors of at least one number", found: "shape \(spelled)")
    }
    let found = byteCount - header.dataOffset
    let (values, overflows) = count.multipliedReportingOverflow(by: dimension)
    guard !overflows, values <= Int.max / 4, values * 4 == found else {
      let isShort = overflows || values > found / 4
      throw Fault(
        .badData, path, "its header promises \(spelled) of float32, but \(found) bytes follow it",
        remedy: isShort ? "the file is cut off; copy or write it again" : "the file has bytes too many")
    }
    return (count, dimension)
  }
}
