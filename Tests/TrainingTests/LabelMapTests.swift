import Faults
import Formats
import FoundationEssentials
import TestSupport
import Testing

@testable import Training

@Suite struct LabelMapTests {
  private func map(_ text: String) throws -> LabelMap {
    try LabelMap(CSVTable(text: text, name: "map.csv"), name: "map.csv")
  }

  @Test func labelsBecomeClassesSeveralOrNone() throws {
    let map = try map("label,class\nGolgi,golgi\nNucleoli,nucleolus\nNucleoli,nucleus\nMidbody,\n")
    #expect(map.classes(of: "Golgi") == ["golgi"])
    #expect(map.classes(of: "Nucleoli") == ["nucleolus", "nucleus"])
    #expect(map.classes(of: "Midbody") == [])
    #expect(map.classes(of: "golgi") == ["golgi"], "a class stands for itself")
    #expect(map.classes(of: "er") == nil)
  }

  @Test func aTableOfOtherColumnsIsAFault() {
    #expect(throws: Fault.self) { try map("label,name\na,b\n") }
    #expect(throws: Fault.self) { try map("label,class\n,b\n") }
  }

  @Test func anUnknownNameIsAFaultThatNamesTheMapsThereAre() {
    let fault = #expect(throws: Fault.self) { try LabelMap(named: "opencel-hpa") }
    #expect(fault?.kind == .missingInput)
    #expect(fault?.remedy.contains("opencell-hpa") == true)
  }

  @Test func theMapsOfTheProgramAreTheFilesOfTheSchema() throws {
    for (name, text) in LabelMap.bundled {
      let path = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../../schema/labels/\(name).csv")
      #expect(String(decoding: try Data(contentsOf: path), as: UTF8.self) == text)
    }
  }

  @Test func openCellAndHPAMeetInTwelveClasses() throws {
    let map = try LabelMap(named: "opencell-hpa")
    let openCell = [
      "nucleoplasm", "chromatin", "nuclear_punctae", "nucleolus_fc_dfc", "nucleolus_gc", "nuclear_membrane",
      "cytoplasmic", "mitochondria", "golgi", "er", "centrosome", "membrane", "cell_contact",
      "focal_adhesions", "cytoskeleton", "vesicles", "big_aggregates",
    ]
    let classes = try Set(openCell.flatMap { try #require(map.classes(of: $0)) })
    #expect(classes.count == 12)
    #expect(map.classes(of: "Nucleoli rim") == map.classes(of: "nucleolus_gc"))
    #expect(map.classes(of: "Cytosol") == map.classes(of: "cytoplasmic"))
    #expect(map.classes(of: "Lysosomes") == map.classes(of: "vesicles"))
    #expect(map.classes(of: "Mitotic spindle") == [])
  }
}
