import Faults
import Testing

@testable import Training

@Suite struct LabelTableTests {
  @Test func classesAreSortedAndRepeatsCountOnce() throws {
    let table = try LabelTable(labels: [["er", "cytoplasmic", "er"], ["golgi"], ["cytoplasmic"]])
    #expect(table.classes == ["cytoplasmic", "er", "golgi"])
    #expect(table.positives == [2, 1, 1])
    #expect(Array(table.classes(of: 0)) == [0, 1])
    #expect(table.positives(among: [0, 2]) == [2, 1, 0])
  }

  @Test func aTableOfClassesIsThatOfTheSamplesLabels() throws {
    let samples: [[Int32]] = [[1], [0, 2], [0]]
    let table = try LabelTable(count: 3, classes: ["golgi", "cytoplasmic", "er"]) { samples[$0] }
    #expect(table == (try LabelTable(labels: [["er", "cytoplasmic"], ["golgi"], ["cytoplasmic"]])))
    #expect(table.contains(1, of: 0) && !table.contains(2, of: 0) && table.contains(2, of: 1))
    let fault = #expect(throws: Fault.self) { try LabelTable(count: 3, classes: ["er"]) { _ in [0, 2] } }
    #expect(fault?.description == "sample 1: has no label; leave it out of the training")
  }

  @Test func gatherWritesMultiHotRows() throws {
    let table = try LabelTable(labels: [["a", "c"], ["b"], ["c"]])
    let targets = FloatBuffer([9, 9, 9, 9, 9, 9, 9])
    table.gather([2, 0][...], into: targets.values)
    #expect(Array(targets.values) == [0, 0, 1, 1, 0, 1, 9])
  }

  @Test func aSampleWithoutLabelIsAFaultThatNamesIt() {
    let fault = #expect(throws: Fault.self) { try LabelTable(labels: [["a"], []]) }
    #expect(fault?.description == "sample 1: has no label; leave it out of the training")
  }

  @Test func aLabelOutsideTheGivenClassesIsAFault() {
    let fault = #expect(throws: Fault.self) { try LabelTable(labels: [["a"], ["z"]], classes: ["a", "b"]) }
    #expect(fault?.problem == "expected one of the 2 given classes, found \"z\"")
  }
}
