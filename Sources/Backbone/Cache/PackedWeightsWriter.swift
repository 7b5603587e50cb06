import Faults
import Formats
import Identity

/// Packs into a file, of which one array at a time is in memory.
struct PackedWeightsWriter: PackedWeightsTarget, ~Copyable {
  /// Why the file cannot be written, as opposed to what is wrong with the weights.
  struct Failure: Error {
    let fault: Fault
  }

  private var file: AtomicFile
  private let key: String
  private let model: String
  private var arrays: [PackedWeightsLayout.Place] = []
  private var offset = PackedWeightsLayout.headerByteCount
  private var scratch = AlignedScratch()

  /// - Throws: `Failure`.
  init(path: String, key: String, model: String) throws {
    file = try Self.create(path)
    self.key = key
    self.model = model
  }

  /// A file with room for the header.
  private static func create(_ path: String) throws -> AtomicFile {
    do {
      var file = try AtomicFile(path: path)
      try file.write([UInt8](repeating: 0, count: PackedWeightsLayout.headerByteCount))
      return file
    } catch {
      throw Failure(fault: error)
    }
  }

  /// - Throws: `Failure` when the file cannot be written, or what `fill` throws.
  mutating func add(_ name: String, byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Void)
    throws
  {
    let bytes = scratch.bytes(byteCount)
    try fill(bytes)
    let content = UnsafeRawBufferPointer(bytes)
    arrays.append(
      PackedWeightsLayout.Place(
        name: name, range: offset..<offset + byteCount, checksum: checksum64(content)))
    let padding =
      (PackedWeightsLayout.alignment - byteCount % PackedWeightsLayout.alignment)
      % PackedWeightsLayout.alignment
    do {
      try file.write(content)
      try file.write([UInt8](repeating: 0, count: padding))
    } catch {
      throw Failure(fault: error)
    }
    offset += byteCount + padding
  }

  /// Gives the file its name, unless there is a good one of that name by now: others may have mapped it, and where the
  /// file system is far away, a file that is replaced is gone for them.
  ///
  /// - Parameter isNeeded: asked when the file is durable and ready.
  /// - Throws: `Failure`.
  consuming func finish(where isNeeded: () -> Bool) throws {
    let table = PackedWeightsLayout.Table(key: key, model: model, arrays: arrays)
    do {
      try file.write(table.encoded)
      try file.overwrite(table.header(tableOffset: offset), at: 0)
      try file.synchronize()
      if isNeeded() { try file.commit() }
    } catch {
      throw Failure(fault: error)
    }
  }
}

/// Memory on cache lines that is used again and again, as large as the largest use.
private struct AlignedScratch: ~Copyable {
  private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  deinit { memory.deallocate() }

  mutating func bytes(_ count: Int) -> UnsafeMutableRawBufferPointer {
    if memory.count < count {
      memory.deallocate()
      memory = .allocate(byteCount: count, alignment: PackedWeightsLayout.alignment)
    }
    return UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
  }
}
