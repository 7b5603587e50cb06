import Glibc

/// A fixed number of plain values, all bits zero at first, that is freed with its owner: in memory where it is small, else
/// as `ScratchSpace` has it.
final class ScratchTable<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
  // Shared: memory that lives as long as this object. Whoever lets several threads write makes sure that each writes
  // values of its own, and that they are read when all have ended. Hence @unchecked Sendable.
  let start: UnsafeMutablePointer<Element>
  let count: Int
  private let isMapped: Bool

  private var byteCount: Int { count * MemoryLayout<Element>.stride }

  /// - Parameter memoryLimit: bytes of the largest table in memory.
  /// - Throws: as `ScratchSpace.map`.
  init(count: Int, memoryLimit: Int = ScratchSpace.memoryLimit) throws {
    let byteCount = count * MemoryLayout<Element>.stride
    isMapped = byteCount > memoryLimit
    start =
      isMapped
      ? try ScratchSpace.map(byteCount: byteCount).bindMemory(to: Element.self, capacity: count)
      : Self.allocate(count)
    self.count = count
  }

  /// In memory, whatever the size.
  init(inMemory count: Int) {
    isMapped = false
    start = Self.allocate(count)
    self.count = count
  }

  /// - Throws: as above.
  convenience init(_ values: [Element]) throws {
    try self.init(count: values.count)
    values.withUnsafeBufferPointer { values in
      if let source = values.baseAddress { start.update(from: source, count: count) }
    }
  }

  private static func allocate(_ count: Int) -> UnsafeMutablePointer<Element> {
    let start = UnsafeMutablePointer<Element>.allocate(capacity: Swift.max(count, 1))
    memset(start, 0, count * MemoryLayout<Element>.stride)
    return start
  }

  deinit {
    if isMapped { munmap(start, byteCount) } else { start.deallocate() }
  }

  var values: UnsafeMutableBufferPointer<Element> { UnsafeMutableBufferPointer(start: start, count: count) }
}

extension ScratchTable: RandomAccessCollection {
  var startIndex: Int { 0 }
  var endIndex: Int { count }

  /// Lets copies of parts be copies of memory.
  func withContiguousStorageIfAvailable<Result>(
    _ body: (UnsafeBufferPointer<Element>) throws -> Result
  ) rethrows -> Result? {
    try withExtendedLifetime(self) { try body(UnsafeBufferPointer(values)) }
  }

  subscript(position: Int) -> Element {
    get {
      precondition(position >= 0 && position < count)
      return start[position]
    }
    set {
      precondition(position >= 0 && position < count)
      start[position] = newValue
    }
  }
}

extension ScratchTable: Equatable where Element: Equatable {
  static func == (left: ScratchTable, right: ScratchTable) -> Bool { left.elementsEqual(right) }
}
