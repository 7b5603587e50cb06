package import Faults

/// Numbers in a NumPy array file (`numpy.save`), read in place.
///
/// - Shape: float32, little-endian, row-major.
package struct NPYArray: Sendable {
  package let shape: [Int]

  private enum Source: Sendable {
    case file(MappedFile, offset: Int)
    case array([Float])
  }
  private let source: Source
  private let count: Int

  /// What an array is for: how many axes it must have, and what to say when it has others.
  package struct Purpose: Sendable {
    let axes: ClosedRange<Int>
    /// Such as "an array of shape (images, channels, height, width)".
    let description: String
    let remedy: String

    package init(axes: ClosedRange<Int>, description: String, remedy: String = "") {
      self.axes = axes
      self.description = description
      self.remedy = remedy
    }
  }

  /// - Throws: `badData` with what would convert the array when it is not of the shape and type above;
  ///   `missingInput` or `inputOutput` when the file cannot be read.
  package init(path: String, for purpose: Purpose) throws(Fault) {
    let file = try MappedFile(path: path)
    let header = try NPYHeader(decoding: file.bytes, name: path)
    try Self.checkLayout(of: header, for: purpose, path: path)
    count = try Self.count(in: header, byteCount: file.bytes.count, path: path)
    shape = header.shape

    if header.dataOffset % MemoryLayout<Float>.alignment == 0 {
      source = .file(file, offset: header.dataOffset)
    } else {
      // NumPy pads its headers; other writers need not, and floats off their boundary cannot be bound.
      let data = UnsafeRawBufferPointer(rebasing: file.bytes[header.dataOffset...])
      source = .array((0..<count).map { data.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) })
    }
  }

  /// An array whose values `read` puts into memory, which it gets once and fills.
  /// - Throws: `badData` as above, and for more than `byteLimit` bytes; what `read` throws.
  init(
    header: NPYHeader, name: String, for purpose: Purpose, byteLimit: Int,
    read: (UnsafeMutableRawBufferPointer) throws -> Void
  ) throws {
    try Self.checkLayout(of: header, for: purpose, path: name)
    guard let count = Self.product(of: header.shape), count <= byteLimit / MemoryLayout<Float>.size else {
      throw Fault(
        .badData, name, expected: "at most \(byteLimit) bytes", found: "shape \(Self.spelled(header.shape))",
        remedy: "send it in several arrays, or as a file")
    }
    self.count = count
    shape = header.shape
    source = .array(
      try [Float](unsafeUninitializedCapacity: count) { values, initializedCount in
        values.initialize(repeating: 0)
        try read(UnsafeMutableRawBufferPointer(values))
        initializedCount = count
      })
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

  /// The position of the first value that is NaN or infinite; nil when all are finite.
  package func firstNonFinite() -> Int? {
    withUnsafeValues(\.firstNonFinite)
  }

  /// Gives the memory of values that were read in order back until they are read again, a piece of it at a time; those of a
  /// file are in its pages.
  package func releaseMemory(of values: Range<Int>) {
    guard case .file(let file, let offset) = source else { return }
    let size = MemoryLayout<Float>.size
    file.releasePages(of: offset + values.lowerBound * size..<offset + values.upperBound * size)
  }

  private static func checkLayout(
    of header: NPYHeader, for purpose: Purpose, path: String
  ) throws(Fault) {
    guard header.elementType == "<f4" else {
      let found = header.elementType.map { "'\($0)'" } ?? "records of several fields"
      throw Fault(
        .badData, path, expected: "float32 ('<f4')", found: found,
        remedy: header.elementType == ">f4"
          ? "its bytes are big-endian; convert with x.astype('<f4')" : "convert with x.astype('float32')")
    }
    guard purpose.axes.contains(header.shape.count) else {
      throw Fault(
        .badData, path, expected: purpose.description, found: "shape \(spelled(header.shape))",
        remedy: purpose.remedy)
    }
    guard !header.isFortranOrder || header.shape.count == 1 else {
      throw Fault(
        .badData, path, expected: "rows one after another (C order)", found: "columns (Fortran order)",
        remedy: "convert with numpy.ascontiguousarray(x)")
    }
  }

  /// The number of values, for which the file has just the bytes.
  private static func count(in header: NPYHeader, byteCount: Int, path: String) throws(Fault) -> Int {
    let found = byteCount - header.dataOffset
    let promised = product(of: header.shape)
    guard let values = promised, values <= Int.max / 4, values * 4 == found else {
      let isShort = promised.map { $0 > found / 4 } ?? true
      throw Fault(
        .badData, path,
        "its header promises \(spelled(header.shape)) of float32, but \(found) bytes follow it",
        remedy: isShort ? "the file is cut off; copy or write it again" : "the file has bytes too many")
    }
    return values
  }

  /// Values of an array; nil for more than can be counted.
  private static func product(of shape: [Int]) -> Int? {
    var values = 1
    for extent in shape {
      let (product, overflows) = values.multipliedReportingOverflow(by: extent)
      if overflows { return nil }
      values = product
    }
    return values
  }

  static func spelled(_ shape: [Int]) -> String {
    "(" + shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? ",)" : ")")
  }
}
