import Faults
import Testing

@Suite struct FaultTests {
  @Test func aFaultIsOneLineWhateverTheNamesInIt() {
    let fault = Fault(
      .badData, "a\nb.tif", "expected \u{1b}[31m, found \"\r\t\u{2028}\"", remedy: "rename it\u{85}")
    #expect(fault.description == #"a\nb.tif: expected \u{1b}[31m, found "\r\t\u{2028}"; rename it\u{85}"#)
    #expect(Fault(.usage, "Zürich 細胞", "é🔬", remedy: "").description == "Zürich 細胞: é🔬")
  }

  @Test func whatWasEscapedIsNotEscapedAgain() {
    for text in ["a\nb", "\u{1b}[2J", "\u{7f}\u{9b}\u{2029}", #"a\b"#, ""] {
      let once = escapingControls(in: text)
      #expect(escapingControls(in: once) == once)
      #expect(once.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
    }
  }

  @Test func bytesThatAreNoTextAreShownAsNumbers() {
    #expect(escapingBytes(in: Array("Zürich 細🔬\n".utf8)) == "Zürich 細🔬\n")
    #expect(escapingBytes(in: Array("caf".utf8) + [0xE9] + Array("/é".utf8)) == #"caf\xE9/é"#)
    #expect(escapingBytes(in: [0xC3, 0x28, 0xF0, 0x9F, 0x94]) == #"\xC3(\xF0\x9F\x94"#)
    #expect(escapingBytes(in: []) == "")
  }

  /// A subject, a problem of so many characters, and a remedy: 900 characters in all are left whole, of more the first 600
  /// and the last 280.
  @Test(arguments: [0, 1, 878, 879, 880, 5_000]) func ofALongLineTheMiddleIsLeftOut(count: Int) {
    let problem = String((0..<count).map { Character(Unicode.Scalar(UInt32(0x4E00 + $0 % 997))!) })
    let fault = Fault(.badData, "f", problem, remedy: "shorten the text")
    let whole = "f: \(problem); shorten the text"
    let cut = "\(whole.prefix(600))…\(whole.suffix(280))"
    #expect(fault.description == (count <= 879 ? whole : cut))
    #expect(fault.description.count <= 900)
  }

  /// What an escape takes counts: a line of control characters is no longer than others.
  @Test func escapesCount() {
    let line = Fault(.badData, "f", String(repeating: "\u{2}", count: 300)).description
    #expect(line.count == 881 && line.hasPrefix(#"f: \u{2}\u{2}"#) && line.hasSuffix(#"\u{2}\u{2}"#))
  }
}
