import Kernels
import Testing

@testable import Training

@Suite struct MemoryAheadTests {
  private func begin(
    _ ahead: MemoryAhead, _ memory: UnsafeRawBufferPointer, _ sizes: [Int], from start: Int = 0, turns: Int
  ) -> kernels_ahead? {
    ahead.begin(turns: turns) { add in
      for size in sizes { add(UnsafeRawBufferPointer(rebasing: memory[start..<start + size])) }
    }?.pointee
  }

  /// 256 bytes that begin with a line.
  private func withMemory(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 64)
    defer { memory.deallocate() }
    memory.initializeMemory(as: UInt8.self, repeating: 0)
    try body(UnsafeRawBufferPointer(memory))
  }

  @Test func linesAreSharedOutAmongTurns() throws {
    let ahead = MemoryAhead(capacity: 3)
    try withMemory { memory in
      // Of one line, of four and of none.
      let first = try #require(begin(ahead, memory, [64, 200, 0], turns: 2))
      #expect(first.count == 2 && first.offset == 0 && first.lines == 3)
      #expect(first.pieces[0].bytes == 64 && first.pieces[1].bytes == 200)
      #expect(first.pieces[1].start == memory.baseAddress)
      let second = try #require(begin(ahead, memory, [1], turns: 100))
      #expect(second.count == 1 && second.lines == 1)
    }
  }

  /// A vector of few bytes may lie in two lines.
  @Test func aPieceBeginsWithItsFirstLine() throws {
    let ahead = MemoryAhead(capacity: 2)
    try withMemory { memory in
      let begun = try #require(begin(ahead, memory, [8, 69], from: 60, turns: 1))
      // Bytes 60 to 67 are of two lines, and 60 to 128 of three.
      #expect(begun.count == 2 && begun.offset == 0 && begun.lines == 5)
      #expect((0..<2).allSatisfy { begun.pieces[$0].start == memory.baseAddress })
      #expect(begun.pieces[0].bytes == 68 && begun.pieces[1].bytes == 129)
    }
  }

  @Test func nothingIsAskedForWithoutPiecesOrTurns() {
    let ahead = MemoryAhead(capacity: 1)
    withMemory { memory in
      #expect(begin(ahead, memory, [], turns: 5) == nil)
      #expect(begin(ahead, memory, [0], turns: 5) == nil)
      #expect(begin(ahead, memory, [2], turns: 0) == nil)
    }
  }

  /// What is asked for of a unit is what packing it writes, and no more.
  @Test(arguments: TrainingPrecision.allCases) func piecesOfABatchAreItsUnitsPanels(
    precision: TrainingPrecision
  ) {
    let layout = PanelLayout(precision: precision)
    let (dimension, rows) = (70, 3 * PanelLayout.unit)
    let panels = BatchPanels(layout: layout, dimension: dimension, capacity: rows)
    var pieces: [Range<UInt>] = []
    for unit in 0..<3 {
      panels.forEachPiece(rows: PanelLayout.unit, firstRow: unit * PanelLayout.unit, batchRows: rows) {
        piece in
        let start = UInt(bitPattern: piece.baseAddress)
        pieces.append(start..<start + UInt(piece.count))
      }
    }
    #expect(pieces.count == 3 * panels.pieceCount)
    pieces.sort { $0.lowerBound < $1.lowerBound }
    for (left, right) in zip(pieces, pieces.dropFirst()) { #expect(left.upperBound == right.lowerBound) }
    #expect(pieces.first?.lowerBound == UInt(bitPattern: panels.dimensions(from: 0, rows: rows)))
    let byteCount = 4 * layout.panelWords(inputs: rows, outputs: dimension)
    #expect(pieces.reduce(0) { $0 + $1.count } == byteCount)
  }
}
