import Testing

@testable import cellvec

private let report = Report(
  ["cell", Column("similarity", decimals: 3), "gene", "localization", "area"],
  rows: [
    [.integer(7), .real(Float(0.9)), .text("BAG6"), .list(["er", "golgi"]), .real(12.5)],
    [.integer(12), .real(Float(0.123456)), .text("a \"b\",\tc\nd"), .list([]), .null],
  ])

@Suite struct ReportTests {
  private func text(_ format: OutputFormat) -> String {
    String(decoding: report.text(as: format), as: UTF8.self)
  }

  @Test func tablesAlignNumbersRightAndTextLeft() {
    #expect(
      report.lines(as: .table) == [
        "cell  similarity  gene        localization  area",
        "   7       0.900  BAG6        er;golgi      12.5",
        "  12       0.123  a \"b\",?c?d                   -",
      ])
  }

  @Test(arguments: [
    (101.0, "101"), (0.5, "0.5"), (2.0 / 3, "0.6667"), (1e-9, "1e-09"), (0.0, "0"), (-1e300, "-1e+300"),
    (0.00052341, "0.000523"), (3.0517578125e-05, "3.05e-05"), (.leastNonzeroMagnitude, "5e-324"),
    (1.0 / 3e300, "3.33e-301"),
  ])
  func tablesShortenLongFractions(number: Double, text: String) {
    #expect(Value.real(number).tableEntry() == text)
  }

  @Test func aHeaderIsBoldOnlyWhereAsked() {
    #expect(report.lines(as: .table, isBold: true)[0].hasPrefix("\u{1B}[1mcell"))
  }

  @Test func jsonGivesNumbersInFullAndListsAsArrays() {
    #expect(
      report.lines(as: .json) == [
        #"{"cell":7,"similarity":0.9,"gene":"BAG6","localization":["er","golgi"],"area":12.5}"#,
        #"{"cell":12,"similarity":0.123456,"gene":"a \"b\",\tc\nd","localization":[],"area":null}"#,
      ])
  }

  @Test func jsonHasNoControlCharactersAndNoInfinity() {
    #expect(Value.text("\u{1B}\u{8}\\").json == #""\u001b\b\\""#)
    #expect(Value.real(Double.infinity).json == "null")
    #expect(Value.real(1e300).json == "1e+300")
  }

  @Test func csvQuotesAndJoinsLists() {
    #expect(
      text(.csv) == """
        cell,similarity,gene,localization,area
        7,0.9,BAG6,er;golgi,12.5
        12,0.123456,"a ""b"",\tc
        d",,

        """)
  }

  @Test func aListOfOneNameWithACommaEndsInASemicolon() {
    let report = Report(["site"], rows: [[.list(["Cytoplasm, rim"])], [.list(["Cytoplasm, rim", "er"])]])
    #expect(report.lines(as: .csv) == ["site", "\"Cytoplasm, rim;\"", "\"Cytoplasm, rim;er\""])
    #expect(report.lines(as: .json)[0] == #"{"site":["Cytoplasm, rim"]}"#)
  }

  @Test func tsvQuotesTabs() {
    #expect(text(.tsv).hasSuffix("\n12\t0.123456\t\"a \"\"b\"\",\tc\nd\"\t\t\n"))
  }

  @Test(arguments: [OutputFormat.table, .csv, .tsv])
  func anEmptyReportIsItsColumnNames(format: OutputFormat) {
    #expect(Report(["cell"]).lines(as: format) == ["cell"])
  }

  @Test func listsOfNumbersAreNumbers() {
    let report = Report(["recalls"], rows: [[.numbers([0.9, 0.999, 1])]])
    #expect(report.lines(as: .json) == [#"{"recalls":[0.9,0.999,1]}"#])
    #expect(report.lines(as: .csv) == ["recalls", "0.9;0.999;1"])
    #expect(report.lines(as: .table) == ["recalls", "0.9;0.999;1"])
  }

  @Test func anEmptyReportIsNoJSON() {
    #expect(Report(["cell"]).lines(as: .json) == [])
  }

  @Test func aLongTableIsWrittenBeforeItsEnd() {
    var formatter = ReportFormatter(["n"], as: .table)
    var text: [UInt8] = []
    for row in 0..<TableLayout.fittedRowCount { formatter.add([.integer(row)], to: &text) }
    #expect(text.count { $0 == UInt8(ascii: "\n") } == TableLayout.fittedRowCount + 1)
    text = []
    formatter.add([.integer(123_456)], to: &text)
    formatter.end(&text)
    #expect(String(decoding: text, as: UTF8.self) == "123456\n")
  }

  @Test(arguments: [OutputFormat.table, .json, .csv]) func anotherThreadsFormatterWritesTheSameLines(
    format: OutputFormat
  ) {
    var formatter = ReportFormatter(["name", Column("share", decimals: 2)], as: format)
    var text: [UInt8] = []
    for row in 0..<TableLayout.fittedRowCount { formatter.add([.text("n\(row)"), .real(0.5)], to: &text) }
    var other = formatter.separated()
    var (own, others): ([UInt8], [UInt8]) = ([], [])
    formatter.add([.text("m"), .real(0.25)], to: &own)
    other.add([.text("m"), .real(0.25)], to: &others)
    #expect(own == others && !own.isEmpty)
  }

  @Test func singlePrecisionNumbersHaveTheirOwnDigits() {
    let numbers: [Float] = [
      0.9, 0, -0.0, 1, -3, 0.1, 1e-4, 9.99e-5, 1.5e-7, 16_777_216, 1e15, 3e15, 1e20, -1e-30,
      .leastNonzeroMagnitude,
      .greatestFiniteMagnitude, .infinity, -.infinity, .nan, 8_388_607.5, 0.333333343,
    ]
    for number in numbers {
      let plain = Double(number.description).map { Value.real($0) }
      #expect(Value.real(number).plain == plain?.plain)
      #expect(Value.real(number).json == plain?.json)
      #expect(Value.real(number).tableEntry(decimals: 4) == plain?.tableEntry(decimals: 4))
    }
  }

  @Test func cardsAlignTheirValues() {
    #expect(Card([("a", .integer(1)), ("long", .null)]).lines() == ["a     1", "long  -"])
  }

  @Test(arguments: [
    (0.0005, 3, "0.001"), (-0.0004, 3, "0.000"), (1.5, 0, "2"), (-2.25, 1, "-2.3"), (1e300, 2, "1e+300"),
    (.nan, 2, "nan"),
  ])
  func fixedNumbersRoundHalvesAwayFromZero(number: Double, decimals: Int, text: String) {
    #expect(fixed(number, decimals: decimals) == text)
  }
}
