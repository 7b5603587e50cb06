import Randomness
import Testing

@testable import Formats

private func plain(_ text: String) -> Double? {
  Array(text.utf8).withUnsafeBytes { plainDecimalNumber($0) }
}

@Suite struct DecimalNumberTests {
  @Test func digitsWithAPointAreTheNumberThatTheirTextIs() throws {
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<20_000 {
      let digits = (0..<Int.random(in: 1...15, using: &generator)).map { _ in
        Character("\(Int.random(in: 0...9, using: &generator))")
      }
      var text = String(digits)
      let point = Int.random(in: 0...digits.count, using: &generator)
      if (1..<digits.count).contains(point) {
        text.insert(".", at: text.index(text.startIndex, offsetBy: point))
      }
      if Bool.random(using: &generator) { text = "-" + text }
      guard let number = plain(text) else {
        #expect(text.drop { $0 == "-" }.first == "0", "\(text)")
        continue
      }
      #expect(number.bitPattern == decimalNumber(text)?.bitPattern, "\(text)")
    }
    #expect(plain("-0")?.sign == .minus && plain("0.5") == 0.5 && plain("7") == 7)
  }

  @Test func otherTextsAreLeftToOthers() {
    for text in [
      "", "-", ".", "-.", "1.", ".5", "+1", "1e3", "007", "00", "-01", "1,5", "1.2.3", "nan", "inf", " 1",
      "1 ", "0x1",
      "1234567890123456", "12345678901234.56", "--1", "1-", "é",
    ] {
      #expect(plain(text) == nil, "\(text)")
    }
  }
}
