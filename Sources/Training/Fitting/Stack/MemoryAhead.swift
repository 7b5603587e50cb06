import Kernels

/// Memory that a thread packs its next unit from and to, asked for while it multiplies: samples of a batch lie anywhere,
/// and a batch is larger than the cache.
final class MemoryAhead {
  /// Bytes of a line.
  private static let line = 64

  private let capacity: Int
  private let pieces: UnsafeMutablePointer<kernels_piece>
  private let state: UnsafeMutablePointer<kernels_ahead>

  /// - Parameter capacity: pieces of a unit at most.
  init(capacity: Int) {
    self.capacity = capacity
    pieces = .allocate(capacity: max(capacity, 1))
    pieces.initialize(repeating: kernels_piece(), count: max(capacity, 1))
    state = .allocate(capacity: 1)
    state.initialize(to: kernels_ahead())
  }

  deinit {
    pieces.deallocate()
    state.deallocate()
  }

  /// Forgets what was not asked for, and begins with other pieces.
  ///
  /// - Parameters:
  ///   - turns: at which lines are asked for: those of all products that take the value that is returned.
  ///   - addPieces: calls its argument with each piece.
  /// - Returns: what these products take; nil where there is nothing to ask for.
  func begin(
    turns: Int, _ addPieces: (_ add: (UnsafeRawBufferPointer) -> Void) -> Void
  ) -> UnsafeMutablePointer<kernels_ahead>? {
    var (count, lines) = (0, 0)
    addPieces { piece in
      precondition(count < capacity)
      guard let start = piece.baseAddress, piece.count > 0 else { return }
      // From where its first line begins: else the last bytes may lie in a line that is not asked for.
      let before = Int(bitPattern: start) % Self.line
      let bytes = before + piece.count
      pieces[count] = kernels_piece(start: start - before, bytes: bytes)
      count += 1
      lines += (bytes + Self.line - 1) / Self.line
    }
    guard count > 0, turns > 0 else { return nil }
    state.pointee = kernels_ahead(
      pieces: pieces, count: count, offset: 0, lines: (lines + turns - 1) / turns)
    kernels_begin_ahead(state)
    return state
  }
}
