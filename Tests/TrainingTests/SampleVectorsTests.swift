import Faults
import Testing

@testable import Storage
@testable import Training

@Suite struct SampleVectorsTests {
  private func gathered(_ source: some SampleVectors, _ indices: [Int32]) -> [Float] {
    [Float](unsafeUninitializedCapacity: indices.count * source.dimension) { buffer, initialized in
      source.gather(indices[...], into: buffer)
      initialized = indices.count * source.dimension
    }
  }

  @Test func memoryGivesTheAskedRowsInTheAskedOrder() {
    let source = InMemoryVectors([0, 1, 10, 11, 20, 21], dimension: 2)
    #expect(source.count == 3)
    #expect(gathered(source, [2, 0, 2]) == [20, 21, 0, 1, 20, 21])
    #expect(gathered(source, []) == [])
    #expect(source.memory(of: 0) == nil)
  }

  @Test func blocksGiveTheVectorOfEachSamplesRow() throws {
    let first: [Float] = [0, 0.5, 1, 1.5, 2, 2.5]
    let second: [Float] = [8, 8.5, 9, 9.5]
    try first.withUnsafeBufferPointer { first in
      try second.withUnsafeBufferPointer { second in
        let space = SpaceRecord(id: 0, name: "s", dimension: 2)
        let blocks = [
          VectorBlock(
            firstRow: 0, slotCount: 3, dimension: 2, scalar: .float32, base: try #require(first.baseAddress),
            wanted: nil),
          VectorBlock(
            firstRow: 8, slotCount: 2, dimension: 2, scalar: .float32, base: try #require(second.baseAddress),
            wanted: nil),
        ]
        let source = try BlockVectors(blocks: blocks, space: space, rows: [9, 0, 2, 8])
        #expect(source.count == 4)
        #expect(gathered(source, [0, 1, 2, 3]) == [9, 9.5, 0, 0.5, 2, 2.5, 8, 8.5])
        #expect(gathered(source, [3, 3]) == [8, 8.5, 8, 8.5])
        var places = [first, first].compactMap(\.baseAddress)
        #expect(source.locate([2, 0], into: &places))
        #expect(places.map { [$0[0], $0[1]] } == [[2, 2.5], [9, 9.5]])
        let memory = try #require(source.memory(of: 0))
        #expect(memory.elementsEqual(UnsafeRawBufferPointer(second)[8..<16]))
        for absent: Row in [3, 7, 10] {
          let fault = #expect(throws: Fault.self) {
            try BlockVectors(blocks: blocks, space: space, rows: [0, absent])
          }
          #expect(fault?.subject == "cell \(absent)")
        }
      }
    }
  }

  @Test func withoutBlocksEveryRowIsMissing() {
    #expect(throws: Fault.self) {
      try BlockVectors(blocks: [], space: SpaceRecord(id: 0, name: "s", dimension: 2), rows: [0])
    }
  }
}
