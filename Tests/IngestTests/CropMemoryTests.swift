import Testing

@testable import Ingest

@Suite struct CropMemoryTests {
  /// Two channels of 224 pixels; then four of 1024, of which 16 MB are one crop; then more than 64 MB.
  @Test(arguments: [(2 * 224 * 224, 64), (4 * 1024 * 1024, 4), (8 * 2048 * 2048, 1)])
  func cropsAreAsManyAsLieIn64MB(cropValueCount: Int, expected: Int) {
    #expect(CropMemory.capacity(upTo: 64, cropValueCount: cropValueCount) == expected)
  }

  @Test func cropsAreNoMoreThanAskedFor() {
    #expect(CropMemory.capacity(upTo: 3, cropValueCount: 1) == 3)
  }
}
