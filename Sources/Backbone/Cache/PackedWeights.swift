import Faults

/// Named arrays in memory that keeps its address: the parameters of a model as the forward pass reads them.
///
/// Unchecked: threads share the arrays, and nobody may write to them.
final class PackedWeights: @unchecked Sendable {
  private let arrays: [String: UnsafeRawBufferPointer]
  /// What the arrays lie in.
  private let memory: AnyObject

  /// - Parameter memory: what the arrays lie in; they are there as long as it is.
  init(_ arrays: [String: UnsafeRawBufferPointer], in memory: AnyObject) {
    self.arrays = arrays
    self.memory = memory
  }

  /// An array; its memory lives as long as this object.
  /// - Throws: `badData` when it is not there, or of another size.
  func array<Value: BitwiseCopyable>(_ name: String, of _: Value.Type, count: Int) throws(Fault)
    -> UnsafePointer<Value>
  {
    let byteCount = count * MemoryLayout<Value>.stride
    guard let bytes = arrays[name], let start = bytes.baseAddress, bytes.count == byteCount else {
      throw Fault(
        .badData, "packed weights: \(name)", expected: "\(byteCount) bytes",
        found: arrays[name].map { "\($0.count)" } ?? "none")
    }
    return UnsafePointer(start.bindMemory(to: Value.self, capacity: count))
  }

  func floats(_ name: String, count: Int) throws(Fault) -> UnsafePointer<Float> {
    try array(name, of: Float.self, count: count)
  }
}

/// Takes up the arrays of a model, one after another.
protocol PackedWeightsTarget: ~Copyable {
  /// Adds an array of at least one byte.
  ///
  /// - Parameter fill: writes every byte of it; it begins on a cache line.
  mutating func add(_ name: String, byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Void)
    throws
}

extension PackedWeightsTarget where Self: ~Copyable {
  mutating func add<Value: BitwiseCopyable>(_ name: String, _ values: [Value]) throws {
    try values.withUnsafeBytes { bytes in
      try add(name, byteCount: bytes.count) { $0.copyMemory(from: bytes) }
    }
  }
}

/// Packs into memory of the process.
struct PackedWeightsInMemory: PackedWeightsTarget {
  private var arrays: [String: UnsafeRawBufferPointer] = [:]
  private let memory = ScratchMemory()

  mutating func add(_ name: String, byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Void)
    throws
  {
    let bytes = UnsafeMutableRawBufferPointer(start: memory.bytes(byteCount), count: byteCount)
    try fill(bytes)
    arrays[name] = UnsafeRawBufferPointer(bytes)
  }

  func finish() -> PackedWeights { PackedWeights(arrays, in: memory) }
}
