import Faults
import Testing

@Suite struct FaultTests {
  @Test func aFaultIsOneLineWhateverTheNamesInIt() {
    let fault = Fault(
      .badData, "a\nb.tif", "expected \u{1b}[31m, found \"\r\t\u{2028}\"", remedy: "rename it\u{85}")
    #expect(fault.description == #"a\nb.tif: expected \u{1b}[31m, found "\r\t\u{2028}"; rename it\u{85}"#)
    #expect(Fault(.usage, "Zürich 細胞", "é🔬", remedy: "").description == "Zürich 細胞: é🔬")
  }
}
