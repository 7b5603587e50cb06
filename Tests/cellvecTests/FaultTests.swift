import Faults
import Testing

@Suite struct FaultTests {
  @Test func aFaultIsOneLineWhateverTheNamesInIt() {
    let fault = Fault(
      .badData, "a\nb.tif", "expected \u{1b}[31m, found \"\r\t\u{2028}\"", remedy: "rename it\u{85}")
    #expect(fault.description == #"a\nb.tif: expected \u{1b}[31m, found "\r\t\u{2028}"; rename it\u{85}"#)
    let long = Fault(.badData, "f", String(repeating: "é\u{2}", count: 5_000), remedy: "shorten it")
      .description
    #expect(long.utf8.count < 4_000 && long.hasPrefix(#"f: é\u{2}é"#) && long.hasSuffix("; shorten it"))
    #expect(long.contains("…"))
    #expect(Fault(.usage, "Zürich 細胞", "é🔬", remedy: "").description == "Zürich 細胞: é🔬")
  }
}
