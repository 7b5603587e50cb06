/// The floating-point types whose values are read as float32.
enum FloatingPointType: Sendable {
  case f16
  case bf16
  case f32
  /// Rounded to the nearest float32; what lies beyond its range becomes infinite.
  case f64

  var byteCount: Int {
    switch self {
    case .f16, .bf16: 2
    case .f32: 4
    case .f64: 8
    }
  }

  /// The elements that `shape` and `strides` name, in row-major order. Bytes are little-endian and need not
  /// be aligned.
  ///
  /// The caller has checked that every element lies inside the bytes.
  /// - Parameter strides: elements, not bytes, from one index of an axis to the next.
  func floats(in bytes: UnsafeRawBufferPointer, shape: [Int], strides: [Int]) -> [Float] {
    switch self {
    case .f16: gather(bytes, shape, strides, UInt16.self) { Float(Float16(bitPattern: $0)) }
    case .bf16: gather(bytes, shape, strides, UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
    case .f32: gather(bytes, shape, strides, UInt32.self) { Float(bitPattern: $0) }
    case .f64: gather(bytes, shape, strides, UInt64.self) { Float(Double(bitPattern: $0)) }
    }
  }
}

/// How far the elements of a row-major array of this shape lie apart, in elements.
func rowMajorStrides(of shape: [Int]) -> [Int] {
  var strides = [Int](repeating: 1, count: shape.count)
  for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
  return strides
}

/// The number of elements of a shape that a file claims; nil when an extent is negative or the extents that
/// are not zero have a product too large for an integer.
func elementCount(of shape: [Int]) -> Int? {
  var product = 1
  var isEmpty = false
  for extent in shape {
    guard extent >= 0 else { return nil }
    isEmpty = isEmpty || extent == 0
    let (next, overflow) = product.multipliedReportingOverflow(by: max(extent, 1))
    guard !overflow else { return nil }
    product = next
  }
  return isEmpty ? 0 : product
}

/// No library makes tensors of more axes.
let maximumRank = 64

private func gather<Word: FixedWidthInteger>(
  _ bytes: UnsafeRawBufferPointer, _ shape: [Int], _ strides: [Int], _: Word.Type, _ float: (Word) -> Float
) -> [Float] {
  let size = MemoryLayout<Word>.size
  let count = shape.reduce(1, *)
  guard count > 0 else { return [] }
  // Axes of one index do not matter, and an array that lies in order is one long row.
  var axes = zip(shape, strides).filter { $0.0 > 1 }.map { (extent: $0.0, stride: $0.1) }
  if axes.map(\.stride) == rowMajorStrides(of: axes.map(\.extent)) { axes = [(count, 1)] }
  let row = axes.popLast() ?? (1, 1)
  var index = [Int](repeating: 0, count: axes.count)

  return [Float](unsafeUninitializedCapacity: count) { values, initialized in
    var start = 0
    while initialized < count {
      func copy(stride: Int) {
        for column in 0..<row.extent {
          let word = bytes.loadUnaligned(fromByteOffset: (start + column * stride) * size, as: Word.self)
          values.initializeElement(at: initialized + column, to: float(Word(littleEndian: word)))
        }
      }
      // Several at a time where the compiler knows that they are neighbours.
      if row.stride == 1 { copy(stride: 1) } else { copy(stride: row.stride) }
      initialized += row.extent
      for axis in axes.indices.reversed() {
        index[axis] += 1
        start += axes[axis].stride
        if index[axis] < axes[axis].extent { break }
        start -= axes[axis].stride * axes[axis].extent
        index[axis] = 0
      }
    }
  }
}
