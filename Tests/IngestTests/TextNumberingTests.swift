import Testing

@testable import Ingest

@Suite struct TextNumberingTests {
  @Test func eachTextHasTheNumberOfItsFirstPlace() {
    var numbering = TextNumbering()
    var expected: [String: UInt32] = [:]
    var order: [String] = []
    for index in 0..<5_000 {
      // Some come back soon, some late, some never.
      let text = index % 7 == 0 ? "" : String(repeating: "é", count: index % 3) + "\(index * index % 2_003)"
      if expected[text] == nil {
        expected[text] = UInt32(order.count)
        order.append(text)
      }
      let number = Array(text.utf8).withUnsafeBytes { numbering.number(of: $0) }
      #expect(number == expected[text])
    }
    #expect(numbering.texts == order)
  }

  @Test func textsAreEqualWhenTheirBytesAre() {
    var numbering = TextNumbering()
    let numbers = ["é", "e\u{301}", "é"].map { Array($0.utf8).withUnsafeBytes { numbering.number(of: $0) } }
    #expect(numbers == [0, 1, 0])
  }
}
