import Faults
import FoundationEssentials
import Storage
import TestSupport
import Testing

@testable import Training

@Suite struct EvaluationSamplesTests {
  private let plan = LabelledDatabase.plan

  @Test func samplesOfAFieldAreMeansOfTheirCells() throws {
    try withDatabase { database in
      var plan = plan
      plan.unit = .field("gene")
      let evaluation = try database.outcome(plan).evaluation
      #expect(evaluation.sampleUnit == "gene")
      #expect(evaluation.samples.count == 25)
      #expect(evaluation.samples.allSatisfy { $0.cellCount == ($0.name == "G24" ? 5 : 6) })
      #expect(evaluation.samples.first { $0.name == "G3" }?.row == 18)
      let labels = try #require(evaluation.samples.first { $0.name == "G3" }?.labels)
      #expect(
        Set(labels.map { evaluation.classes[$0] }) == Set((18..<24).flatMap { database.cells.labels[$0] }))

      let samples = try database.writer.database.read { snapshot in
        let space = snapshot.spaces[0]
        let samples = try EvaluationSamples(
          of: snapshot, spaces: [space], plan: plan, among: nil, transfer: nil)
        let source = try samples.vectors(in: space, of: snapshot).means
        let mean = FloatBuffer(count: 8)
        let sample = try #require(samples.samples.firstIndex { $0.name == "G3" })
        source.gather([Int32(sample)], into: mean.values)
        return Array(mean.values)
      }
      for index in 0..<8 {
        let expected = (18..<24).reduce(0.0) { $0 + Double(database.cells.vectors[$1 * 8 + index]) } / 6
        #expect(abs(Double(samples[index]) - expected) < 1e-5)
      }
    }
  }

  @Test func aSampleWhoseCellsAreOfTwoGroupsIsRefused() throws {
    try withDatabase { database in
      var plan = plan
      plan.unit = .field("gene")
      plan.grouping = .image
      let fault = #expect(throws: Fault.self) { try database.outcome(plan) }
      #expect(fault?.subject == "sample \"G0\"")
      plan.grouping = .none
      #expect(throws: Never.self) { try database.outcome(plan) }
    }
  }

  @Test func onlyCellsOfEverySpaceTakePart() throws {
    try withDatabase { database in
      let outcome = try database.outcome(plan, spaces: ["good", "part"])
      #expect(outcome.leftOut.withoutVector == 30)
      #expect(outcome.evaluation.samples.map(\.row).min() == 30)
      let fingerprint = outcome.evaluation.fingerprint
      #expect(try database.outcome(plan, spaces: ["part"]).evaluation.fingerprint == fingerprint)
      #expect(try database.outcome(plan, spaces: ["good"]).evaluation.fingerprint != fingerprint)
    }
  }

  @Test func spacesWithoutACommonCellAreRefused() throws {
    try withDatabase { database in
      try database.writer.write { _ = try $0.addSpace(name: "empty", dimension: 8) }
      let fault = #expect(throws: Fault.self) { try database.outcome(plan, spaces: ["good", "empty"]) }
      #expect(
        fault?.description == "spaces good, empty: have no cell in common; compare spaces of the same cells")
    }
  }

  @Test func identicalVectorsOfTwoGroupsAreWarnedOf() throws {
    try withDatabase { database in
      let warnings = try database.outcome(plan).evaluation.warnings
      let words =
        "have the vector of a cell of another group, or of the other side, such as cell 3 and cell 100"
      #expect(warnings.contains { $0.hasPrefix("space good: 4 cells \(words)") }, "\(warnings)")
      // Of samples that are genes, cells are compared, which their means hide.
      var plan = plan
      plan.unit = .field("gene")
      let ofGenes = try database.outcome(plan).evaluation.warnings
      #expect(ofGenes.contains { $0.hasPrefix("space good: 4 cells \(words)") }, "\(ofGenes)")
    }
  }

  @Test func doublesWithinAGroupAreNone() throws {
    let vectors = InMemoryVectors([1, 2, 3, 4, 1, 2, 3, 4, 3, 4], dimension: 2)
    let apart = try IdenticalVectors(in: vectors, groups: [0, 1, 0, 1, 2])
    #expect(apart.count == 3)
    #expect(apart.example?.0 == 1 && apart.example?.1 == 4)
    #expect(try IdenticalVectors(in: vectors, groups: [0, 1, 0, 1, 1]).example == nil)
    #expect(try IdenticalVectors(in: vectors, groups: [0, 1, 0, 1, -1]).example == nil)
    let rest = try IdenticalVectors(in: vectors, groups: [0, -1, 0, 1, 2])
    #expect(rest.count == 2 && rest.example?.0 == 3 && rest.example?.1 == 4)
  }

  @Test func labelsAreMappedOrRefused() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/map.csv"
      try Data("label,class\nclass-0,x\nclass-1,x\nclass-2,y\n".utf8).write(to: URL(filePath: path))
      let database = try LabelledDatabase(in: directory)
      var plan = plan
      plan.labelMap = try LabelMap(named: path)
      let evaluation = try database.outcome(plan).evaluation
      #expect(evaluation.classes == ["x", "y"] && evaluation.labelMap == path)
      try Data("label,class\nclass-0,x\nclass-1,y\n".utf8).write(to: URL(filePath: path))
      plan.labelMap = try LabelMap(named: path)
      let fault = #expect(throws: Fault.self) { try database.outcome(plan) }
      #expect(fault?.subject == "label \"class-2\"")
    }
  }
}
