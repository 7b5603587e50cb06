import Formats
import FoundationEssentials
import Testing

@Suite struct JSONTests {
  @Test func anyTextComesBackFromItsQuotes() throws {
    let controls = String(String.UnicodeScalarView((0..<0x20).compactMap { Unicode.Scalar(UInt8($0)) }))
    for text in ["", "a/b \"c\" \\", "é\u{301}🧬\u{7F}\u{2028}", controls] {
      let quoted = quotedJSON(text)
      #expect(quoted.unicodeScalars.allSatisfy { $0.value >= 0x20 })
      #expect(try JSONDecoder().decode([String].self, from: Data("[\(quoted)]".utf8)) == [text])
    }
  }

  @Test func escapesHaveTheShortestForm() {
    #expect(quotedJSON("\u{8}\u{C}\n\r\t\u{1B}\u{7F}") == "\"\\b\\f\\n\\r\\t\\u001b\u{7F}\"")
  }

  @Test func equalValuesAreEqualTexts() throws {
    #expect(try canonicalJSON(["b/c": 1, "a": 2]) == #"{"a":2,"b/c":1}"#)
  }
}
