import Kernels
import Testing

@testable import Training

@Suite struct MemoryAheadTests {
  private func begin(
    _ ahead: MemoryAhead, _ memory: UnsafeRawBufferPointer, _ sizes: [Int], turns: Int
  ) -> kernels_ahead? {
    ahead.begin(turns: turns) { add in
      for size in sizes { add(UnsafeRawBufferPointer(rebasing: memory[..<size])) }
    }?.pointee
  }

  @Test func linesAreSharedOutAmongTurns() throws {
    let ahead = MemoryAhead(capacity: 3)
    let bytes = [UInt8](repeating: 0, count: 200)
    try bytes.withUnsafeBytes { memory in
      // Of one line, of four and of none.
      let first = try #require(begin(ahead, memory, [64, 200, 0], turns: 2))
      #expect(first.count == 2 && first.offset == 0 && first.lines == 3)
      #expect(first.pieces[0].bytes == 64 && first.pieces[1].bytes == 200)
      #expect(first.pieces[1].start == memory.baseAddress)
      let second = try #require(begin(ahead, memory, [1], turns: 100))
      #expect(second.count == 1 && second.lines == 1)
    }
  }

  @Test func nothingIsAskedForWithoutPiecesOrTurns() {
    let ahead = MemoryAhead(capacity: 1)
    let bytes: [UInt8] = [1, 2]
    bytes.withUnsafeBytes { memory in
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
