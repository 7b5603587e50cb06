import Testing

@testable import Training

@Suite struct SampleTableTests {
  /// In memory, and mapped.
  @Test(arguments: [1 << 20, 0]) func oneThingOfASampleIsThatOfTheWhole(memoryLimit: Int) throws {
    let labels = [[], [2], [0, 1], [], [1]]
    let samples = labels.enumerated().map { place, labels in
      Evaluation.Sample(
        row: UInt32(7 * place), cellCount: place + 1, name: place == 1 ? "one" : nil, image: "image",
        group: place > 2 ? "group" : nil, labels: labels)
    }
    let table = try ScratchSpace.$memoryLimit.withValue(memoryLimit) { try Evaluation.SampleTable(samples) }
    #expect(Array(table) == samples)
    for (place, sample) in samples.enumerated() {
      #expect(table.row(of: place) == sample.row && table.cellCount(of: place) == sample.cellCount)
      #expect(table.labels(of: place) == labels[place])
      #expect((0..<3).filter { table.hasLabel($0, at: place) } == labels[place])
    }
  }
}
