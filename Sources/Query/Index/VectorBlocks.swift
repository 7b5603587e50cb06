import Faults
import Glibc
import Storage

/// Blocks of vectors that a thread's search has met.
final class VectorBlocks {
  private let perBlock: Int
  /// Bytes of a vector.
  let byteCount: Int
  /// Zero where a block was not met.
  private let blocks: UnsafeMutablePointer<UnsafeRawBufferPointer>
  private let block: (_ number: Int) throws -> UnsafeRawBufferPointer
  private let astray: (_ problem: String) -> Fault

  /// - Parameters:
  ///   - rowLimit: one more than the highest row that is asked for.
  ///   - block: looks a block up; called once for each.
  ///   - astray: the fault of what leads to a row without a vector.
  /// - Throws: `inputOutput` when there is no memory.
  init(
    of space: SpaceRecord, rowLimit: Row, block: @escaping (_ number: Int) throws -> UnsafeRawBufferPointer,
    astray: @escaping (_ problem: String) -> Fault
  ) throws {
    self.block = block
    self.astray = astray
    perBlock = space.rowsPerBlock
    byteCount = space.vectorByteCount
    blocks = try untouchedMemory(for: Int(rowLimit) / perBlock + 1, of: UnsafeRawBufferPointer.self)
  }

  deinit { free(blocks) }

  /// - Parameter row: below the limit.
  func vector(of row: Row) throws -> UnsafeRawPointer {
    let number = Int(row) / perBlock
    let start = Int(row) % perBlock * byteCount
    if start < blocks[number].count, let base = blocks[number].baseAddress { return base + start }
    blocks[number] = try block(number)
    guard start < blocks[number].count, let base = blocks[number].baseAddress else {
      throw astray("it leads to a row without a vector")
    }
    return base + start
  }
}

/// Zeros, of which pages that nobody touches cost nothing; to be freed.
func untouchedMemory<Element>(
  for count: Int, of type: Element.Type
) throws -> UnsafeMutablePointer<Element> {
  guard let memory = calloc(count, MemoryLayout<Element>.stride) else {
    throw Fault.system("search", "get memory")
  }
  return memory.bindMemory(to: type, capacity: count)
}
