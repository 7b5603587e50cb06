import Faults
import Testing

@Suite struct UnknownNameTests {
  @Test(arguments: [
    ("localisation", "localization"), ("GENE", "gene"), ("gnee", "gene"), ("lozalisatoin", "localization"),
    ("x", nil),
    ("", nil), ("cel_lien", "cell_line"),
  ])
  func onlyNearNamesAreSuggested(name: String, suggestion: String?) {
    #expect(closestMatch(to: name, among: ["gene", "cell_line", "localization"]) == suggestion)
  }

  @Test func equallyNearNamesAreTakenInOrder() {
    #expect(closestMatch(to: "ab", among: ["ad", "ac"]) == "ac")
  }

  @Test func theFaultSaysWhatExists() {
    let fault = Fault.unknownName(.missingInput, "head", "loc", among: ["other", "loc1"])
    #expect(
      fault.description
        == "head \"loc\": does not exist; did you mean \"loc1\"? heads: loc1, other")
    #expect(
      Fault.unknownName(.usage, "space", "s", among: []).description
        == "space \"s\": does not exist; there are no spaces")
    let many = (100..<130).map { "f\($0)" }
    #expect(adviceOnUnknownName("field", "zzz", among: many).hasSuffix("f119, and 10 more"))
  }
}
