import Faults
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

  private func value(_ text: String) throws(Fault) -> JSONValue {
    var bytes = Array(text.utf8)
    let result = bytes.withUnsafeMutableBytes { bytes in
      Result { () throws(Fault) in
        var scanner = JSONScanner(UnsafeRawBufferPointer(bytes), subject: "text", of: "a test")
        let value = try scanner.value()
        try scanner.end()
        return value
      }
    }
    return try result.get()
  }

  @Test func aValueOfEachKindIsRead() throws {
    let text = #" {"a":[1,-2.5e-3,true,false,null,"x\n\u00e9"],"b":{},"a":[]} "#
    guard case .object(let members) = try value(text), case .array(let values) = members[0].value,
      case .object(let none) = members[1].value, case .array(let last) = members[2].value
    else { return #expect(Bool(false)) }
    #expect(members.map(\.name) == ["a", "b", "a"] && none.isEmpty && last.isEmpty)
    let spelled = values.map {
      switch $0 {
      case .null: "null"
      case .bool(let isTrue): isTrue ? "yes" : "no"
      case .number(let text): text
      case .string(let text): text
      case .array, .object: "more"
      }
    }
    #expect(spelled == ["1", "-2.5e-3", "yes", "no", "null", "x\né"])
  }

  @Test(arguments: ["0", "-0", "10", "0.05", "-1.25e-07", "1E+3", "5e324", "20.0e0"])
  func numbersAreKeptAsTheyAreSpelled(text: String) throws {
    guard case .number(let spelled) = try value(text) else { return #expect(Bool(false)) }
    #expect(spelled == text)
  }

  @Test(arguments: [
    "", "[", "[1,]", "{\"a\"}", "{\"a\":}", "{1:2}", "inf", "nan", "0x1p3", "tru", "\"a", "[1] 2", "+1",
    "'a'", "-", "1e", "1e+", "1.", ".5", "1.2.3", "01", "-01", "1-2", "1e2.5", "--1",
    String(repeating: "[", count: 17) + String(repeating: "]", count: 17),
  ]) func whatIsNoJSONIsRefused(text: String) {
    #expect(throws: Fault.self) { try value(text) }
  }

  @Test func equalValuesAreEqualTexts() throws {
    #expect(try canonicalJSON(["b/c": 1, "a": 2]) == #"{"a":2,"b/c":1}"#)
  }
}
