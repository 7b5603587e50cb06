import Faults
import Filter
import Storage
import Testing

private let index = MemoryIndex(
  [
    "cell_line": .string, "protein": .string, "localization": .list, "passage": .number, "Cell Type": .string,
  ],
  cells: [
    ["cell_line": .string("U2OS"), "localization": .list(["cytosol", "nucleus"]), "passage": .number(3)],
    ["cell_line": .string("U2OS"), "localization": .list(["nucleoli"]), "passage": .number(4.5)],
    ["cell_line": .string("HEK 293"), "localization": .list(["cytosol"]), "passage": .number(-2)],
    ["cell_line": .string("it's"), "Cell Type": .string("A549")],
    [:],
  ])

private func rows(_ text: String) throws -> [Row] { try Filter(text).rows(in: index).toArray() }

private func fault(_ text: String) -> String? {
  #expect(throws: Fault.self) { try rows(text) }?.description
}

@Suite struct FilterTests {
  @Test(
    arguments: [
      ("cell_line = 'U2OS'", [0, 1]),
      ("cell_line <> 'U2OS'", [2, 3]),
      ("cell_line != 'it''s'", [0, 1, 2]),
      ("cell_line = 'nobody'", []),
      ("cell_line IN ('it''s', 'HEK 293')", [2, 3]),
      ("cell_line NOT IN ('it''s', 'HEK 293')", [0, 1]),
      ("\"Cell Type\" = 'A549'", [3]),
      ("passage = 4.5", [1]),
      ("passage < 3", [2]),
      ("passage <= 3", [0, 2]),
      ("passage > 3", [1]),
      ("passage >= 3.0", [0, 1]),
      ("passage>-2.0", [0, 1]),
      ("passage BETWEEN -2 AND 3e0", [0, 2]),
      ("passage NOT BETWEEN -2 AND 3", [1]),
      ("passage BETWEEN 3 AND -2", []),
      ("passage IN (3, -2, 100)", [0, 2]),
      ("localization HAS 'cytosol'", [0, 2]),
      ("localization NOT HAS 'cytosol'", [1]),
      ("localization HAS ANY ('nucleoli', 'nucleus')", [0, 1]),
      ("localization HAS ALL ('nucleus', 'cytosol')", [0]),
      ("NOT localization HAS ALL ('nucleus', 'cytosol')", [1, 2]),
      ("cell_line = 'U2OS' AND NOT localization HAS 'cytosol'", [1]),
      ("cell_line LIKE 'U%'", [0, 1]),
      ("cell_line LIKE 'u%'", []),
      ("cell_line LIKE '%2_S'", [0, 1]),
      ("cell_line NOT LIKE '% %'", [0, 1, 3]),
      ("cell_line LIKE '____'", [0, 1, 3]),
      ("cell_line LIKE 'HEK!_293' ESCAPE '!'", []),
      ("localization HAS LIKE 'nucle%'", [0, 1]),
      ("localization NOT HAS LIKE 'nucle%'", [2]),
      ("cell >= 3", [3, 4]),
      ("cell IN (1, 4, 99)", [1, 4]),
      ("cell IN (1.5, -1, 3, 1e30)", [3]),
      ("cell > 2.5", [3, 4]),
      ("cell > 3", [4]),
      ("cell < 2", [0, 1]),
      ("cell <= 1.5", [0, 1]),
      ("cell < 0", []),
      ("cell <= -1e300", []),
      ("cell > -1e300 AND cell < 1e300", [0, 1, 2, 3, 4]),
      ("cell > 4294967295", []),
      ("cell BETWEEN 3 AND 1", []),
      ("NOT cell <= 2", [3, 4]),
      ("NOT cell BETWEEN 1 AND 3", [0, 4]),
      ("cell IS NULL", []),
      ("cell.area IS NULL", [0, 1, 2, 3, 4]),
      ("NOT cell.area > 3", []),
      ("protein IS NULL", [0, 1, 2, 3, 4]),
      ("cell_line is not null", [0, 1, 2, 3]),
      ("NOT cell_line IS NOT NULL", [4]),
      ("passage = 3 or passage = -2 AND cell_line = 'U2OS'", [0]),
      ("(passage = 3 OR passage = -2) AND cell_line = 'U2OS'", [0]),
      ("not (passage = 3 OR cell_line = 'HEK 293')", [1]),
      ("NOT NOT cell_line\n=\t'U2OS'", [0, 1]),
    ] as [(String, [Row])])
  func filtersGiveTheRowsForWhichTheyAreTrue(text: String, expected: [Row]) throws {
    #expect(try rows(text) == expected)
  }

  @Test func precedenceIsNotThenAndThenOr() throws {
    #expect(
      try rows("passage = 4.5 OR passage = -2 AND cell_line = 'U2OS'")
        == rows("passage = 4.5 OR (passage = -2 AND cell_line = 'U2OS')"))
    #expect(try rows("NOT passage = 3 AND cell_line = 'U2OS'") == [1])
  }

  @Test func aComparisonWithAMissingValueIsNeitherTrueNorFalse() throws {
    #expect(try rows("passage = 3 OR NOT passage = 3") == [0, 1, 2])
    // Unknown OR true is true, unknown AND false is false.
    #expect(try rows("passage = 3 OR \"Cell Type\" = 'A549'") == [0, 3])
    #expect(try rows("NOT (passage = 3 AND \"Cell Type\" = 'HeLa')") == [1, 2, 3])
  }

  @Test(arguments: [
    (
      "protien = 'TP53'",
      "--where: column 1: unknown field \"protien\"; did you mean \"protein\"? "
        + "fields: Cell Type, cell_line, localization, passage, protein"
    ),
    (
      "passage = 3 AND well = 'A1'",
      "--where: column 17: unknown field \"well\"; "
        + "fields: Cell Type, cell_line, localization, passage, protein"
    ),
    (
      "cell_line = 3",
      "--where: column 13: field \"cell_line\" holds texts, found the number 3; write '3'"
    ),
    (
      "passage IN (1, '3')",
      "--where: column 16: field \"passage\" holds numbers, found the text '3'; write numbers without quotes"
    ),
    (
      "cell_line > 'A'",
      "--where: column 1: field \"cell_line\" holds one text per cell; only numbers have an order; use =, IN or LIKE"
    ),
    (
      "cell_line BETWEEN 'A' AND 'B'",
      "--where: column 1: field \"cell_line\" holds one text per cell; only numbers have an order; use =, IN or LIKE"
    ),
    (
      "cell_line HAS 'U2OS'",
      "--where: column 1: field \"cell_line\" holds one text per cell; HAS looks into lists only; "
        + "write cell_line = 'U2OS'"
    ),
    (
      "passage HAS 3",
      "--where: column 1: field \"passage\" holds one number per cell; HAS looks into lists only; "
        + "write passage = 3"
    ),
    (
      "localization = 'cytosol'",
      "--where: column 1: field \"localization\" holds a list of texts per cell; lists do not compare as a whole; "
        + "write localization HAS 'cytosol'"
    ),
    (
      "localization LIKE 'c%'",
      "--where: column 1: field \"localization\" holds a list of texts per cell; LIKE compares with a text; "
        + "write localization HAS LIKE 'c%'"
    ),
    (
      "passage LIKE '3%'",
      "--where: column 1: field \"passage\" holds one number per cell; LIKE compares with a text; "
        + "use BETWEEN, <, <=, > or >="
    ),
    (
      "cell_line HAS LIKE 'U%'",
      "--where: column 1: field \"cell_line\" holds one text per cell; HAS looks into lists only; "
        + "write cell_line LIKE 'U%'"
    ),
    ("area > 3", "--where: column 1: unknown field \"area\"; did you mean \"cell.area\"?"),
    ("cell.lable = 3", "--where: column 1: unknown field \"cell.lable\"; did you mean \"cell.label\"?"),
    (
      "cell = 'U2OS'",
      "--where: column 8: field \"cell\" holds numbers, found the text 'U2OS'; write numbers without quotes"
    ),
    (
      "localization HAS 3",
      "--where: column 18: field \"localization\" holds texts, found the number 3; write '3'"
    ),
  ])
  func whatDoesNotFitTheFieldsIsAFaultWithAdvice(text: String, expected: String) {
    #expect(fault(text) == expected)
  }

  @Test(arguments: [
    (
      "", "--where: column 1: expected a condition, found an empty text; write for example cell_line = 'U2OS'"
    ),
    (
      "cell_line == 'U2OS'",
      "--where: column 12: unexpected '='; write a single ="
    ),
    (
      "cell_line = U2OS",
      "--where: column 13: expected a text in single quotes or a number, found 'U2OS'; write 'U2OS'"
    ),
    (
      "cell_line = \"U2OS\"",
      "--where: column 13: expected a text in single quotes or a number, found '\"U2OS\"'; "
        + "double quotes are for field names; write 'U2OS'"
    ),
    (
      "cell_line = 'U2OS",
      "--where: column 13: the text that starts here is not closed; "
        + "end it with '; write '' for a quote inside it"
    ),
    ("cell_line = NULL", "--where: column 13: nothing compares with NULL; write IS NULL or IS NOT NULL"),
    (
      "'cell_line' = 'U2OS'",
      "--where: column 1: expected a field name, found the text 'cell_line'; "
        + "write field names bare or in double quotes, as in \"cell_line\""
    ),
    (
      "any = 'x'",
      "--where: column 1: expected a field name, found the keyword ANY; "
        + "write \"any\" in double quotes if it is a field"
    ),
    (
      "cell_line",
      "--where: column 10: expected a comparison (=, !=, <, <=, >, >=, IN, BETWEEN, LIKE, HAS, IS NULL) "
        + "after \"cell_line\", found the end of the filter"
    ),
    ("(passage = 3", "--where: column 13: expected ), found the end of the filter"),
    ("passage = 3)", "--where: column 12: expected AND, OR or the end, found ')'"),
    ("passage IN ()", "--where: column 13: expected a text in single quotes or a number, found ')'"),
    ("passage IN (1 2)", "--where: column 15: expected a comma or ), found '2'"),
    ("passage NOT = 3", "--where: column 13: expected IN, BETWEEN, LIKE or HAS after NOT, found '='"),
    ("passage = 3x", "--where: column 11: '3x' is not a number; write texts in single quotes, as in 'U2OS'"),
    ("passage = 1e999", "--where: column 11: the number 1e999 is out of range"),
    ("passage = 3; drop", "--where: column 12: unexpected character ';'"),
    (
      "größe = 3",
      "--where: column 3: unexpected character 'ö'; write texts in single quotes, "
        + "and names with other letters than a to z in double quotes"
    ),
    (
      "cell_line LIKE 3",
      "--where: column 16: LIKE compares with a text, found the number 3; write '3%' for what begins with it"
    ),
    (
      "cell_line LIKE 'a' ESCAPE '!!'",
      "--where: column 27: expected one character, found '!!'; write for example ESCAPE '\\'"
    ),
    (
      "cell_line LIKE 'a!b' ESCAPE '!'",
      "--where: column 16: the escape character stands before something other than %, _ and itself; "
        + "double it where it is meant as it stands"
    ),
    (
      "cell_line LIKE 'a!' ESCAPE '!'",
      "--where: column 16: the escape character stands before something other than %, _ and itself; "
        + "double it where it is meant as it stands"
    ),
    ("cell_line = :", "--where: column 13: no parameter's name follows the colon; write for example :gene"),
    (
      "cell_line = :line",
      "--where: column 13: the parameter :line has no value; give one with --param line=VALUE"
    ),
    (
      "cell_line = \u{2018}U2OS\u{2019}",
      "--where: column 13: unexpected character '\u{2018}'; write texts in straight single quotes, as in 'U2OS'"
    ),
  ])
  func whatIsNotAFilterIsAFaultAtItsColumn(text: String, expected: String) {
    #expect(fault(text) == expected)
  }

  @Test func anotherOriginIsNamedInItsPlace() {
    let fault = #expect(throws: Fault.self) { try Filter("x", origin: "--labels-where") }
    #expect(fault?.subject == "--labels-where: column 2" && fault?.kind == .usage)
  }

  @Test func aMisspeltFieldIsAFaultWhateverTheOtherConditionsGive() {
    #expect(fault("cell_line = 'nobody' AND protien = 'x'") != nil)
    #expect(fault("cell_line IS NOT NULL OR protien = 'x'") != nil)
  }

  @Test func deepNestingIsRefusedAndLongChainsAreNot() throws {
    let deep = 100_000
    for opening in ["(", "NOT "] {
      let text = String(repeating: opening, count: deep) + "passage = 3"
      #expect(fault(text)?.hasSuffix("more than 200 nested parentheses and NOTs") == true)
    }
    let nested = String(repeating: "(", count: 199) + "passage = 3" + String(repeating: ")", count: 199)
    #expect(try rows(nested) == [0])
    let negated = try Filter(
      String(repeating: "NOT (", count: 99) + "passage = 3" + String(repeating: ")", count: 99))
    #expect(try negated.explanation(in: index).map(\.rows) == [RowSet([1, 2])])
    #expect(try Filter(negated.description).rows(in: index).toArray() == [1, 2])
    let chain = Array(repeating: "passage = 3", count: 2000).joined(separator: " OR ")
    #expect(try rows(chain) == [0])
  }

  @Test func longListsAreReadAndLongerOnesRefused() throws {
    let numbers = (0..<FilterTests.literalLimit).map { "\($0)" }.joined(separator: ",")
    #expect(try rows("passage IN (\(numbers))") == [0])
    #expect(
      fault("passage IN (\(numbers),0)")?.hasSuffix(
        "more than 100000 texts and numbers in one filter; give longer lists as parameters") == true)
    let many = (0..<300_000).map { "line\($0)" } + ["U2OS"]
    #expect(
      try Filter("cell_line IN :lines", parameters: ["lines": many]).rows(in: index).toArray() == [0, 1])
  }

  private static let literalLimit = 100_000

  @Test func aCombiningMarkDoesNotHideAQuote() throws {
    #expect(try rows("cell_line = 'U2OS' OR cell_line = '\u{301}'") == [0, 1])
  }
}

@Suite struct FilterParameterTests {
  private func rows(_ text: String, _ parameters: [String: [String]]) throws -> [Row] {
    try Filter(text, parameters: parameters).rows(in: index).toArray()
  }

  @Test func parametersHaveTheTypeOfTheirField() throws {
    #expect(try rows("cell_line = :v", ["v": ["U2OS"]]) == [0, 1])
    #expect(try rows("passage = :v", ["v": ["4.50"]]) == [1])
    #expect(try rows("passage BETWEEN :a AND :b", ["a": ["-2e0"], "b": ["+3"]]) == [0, 2])
    #expect(try rows("cell_line LIKE :v", ["v": ["HEK%"]]) == [2])
    #expect(try rows("localization HAS :v", ["v": ["nucleoli"]]) == [1])
  }

  @Test func parametersOfSeveralValuesAreLists() throws {
    let lines = ["lines": ["it's", "HEK 293"]]
    #expect(try rows("cell_line IN :lines", lines) == [2, 3])
    #expect(try rows("cell_line IN (:lines, 'U2OS')", lines) == [0, 1, 2, 3])
    #expect(try rows("passage NOT IN :v", ["v": ["3", "4.5"]]) == [2])
    #expect(try rows("localization HAS ALL :v", ["v": ["nucleus", "cytosol"]]) == [0])
  }

  @Test func anEmptyListHoldsNothingAndIsHeldByEveryList() throws {
    #expect(try rows("cell_line IN :v", ["v": []]) == [])
    #expect(try rows("cell_line NOT IN :v", ["v": []]) == [0, 1, 2, 3])
    #expect(try rows("passage IN :v", ["v": []]) == [])
    #expect(try rows("localization HAS ANY :v", ["v": []]) == [])
    #expect(try rows("localization HAS ALL :v", ["v": []]) == [0, 1, 2])
  }

  @Test func aValueIsNeverReadAsLanguage() throws {
    #expect(try rows("cell_line = :v", ["v": ["x' OR cell_line = 'U2OS"]]) == [])
    #expect(try rows("cell_line = :v", ["v": ["it's"]]) == [3])
  }

  @Test(
    arguments: [
      (
        "cell_line = :v", ["v": ["a", "b"]],
        "--where: column 13: expected one value, found the 2 of :v; lists go with IN, HAS ANY and HAS ALL"
      ),
      (
        "cell_line = :lines", ["line": ["a"]],
        "--where: column 13: the parameter :lines has no value; did you mean :line?"
      ),
      (
        "passage IN :v", ["v": ["3", "x"]],
        "--where: column 12: field \"passage\" holds numbers, found the text 'x' in :v"
      ),
      ("passage = 3", ["v": ["3"]], "parameter v: is not used in --where; write :v there"),
    ] as [(String, [String: [String]], String)])
  func parametersThatDoNotFitAreFaults(text: String, parameters: [String: [String]], expected: String) {
    let fault = #expect(throws: Fault.self) { try rows(text, parameters) }
    #expect(fault?.description == expected)
    #expect(fault?.kind == .usage)
  }
}

@Suite struct FilterAdviceTests {
  private func excerpt(_ text: String) -> String? {
    #expect(throws: Fault.self) { try rows(text) }?.excerpt
  }

  @Test func aCaretMarksThePlaceInTheText() {
    #expect(
      excerpt("passage = 3 AND protien = 'x'") == "  passage = 3 AND protien = 'x'\n                  ^")
    #expect(excerpt("passage = ") == "  passage = \n            ^")
    #expect(excerpt("") == "  \n  ^")
  }

  @Test func theMarkedTextIsOneLineOfTheTerminal() {
    #expect(excerpt("passage = 3\nAND\t\u{1B}x") == "  passage = 3 AND  x\n                  ^")
    // A combining mark has no column of its own.
    #expect(
      excerpt("cell_line = 'nai\u{308}ve' x") == "  cell_line = 'nai\u{308}ve' x\n                      ^")
    let long = Array(repeating: "passage = 3", count: 50)
    let lines = excerpt((long + ["protien = 'x'"] + long).joined(separator: " OR "))?.split(separator: "\n")
    #expect(
      lines == [
        "  …ge = 3 OR passage = 3 OR passage = 3 OR protien = 'x' OR passage = 3 OR pass…",
        "                                           ^",
      ])
  }

  @Test func textsThatNoCellHasAreNamedWithTheNearest() throws {
    func unknown(_ text: String) throws -> [String] {
      try Filter(text).unknownTexts(in: index).map(\.description)
    }
    #expect(
      try unknown("cell_line = 'u2os'") == ["no cell has 'u2os' in \"cell_line\"; did you mean 'U2OS'?"])
    #expect(
      try unknown("localization HAS ALL ('nucleoly', 'cytosol') AND NOT cell_line IN ('it''z', 'A549')") == [
        "no cell has 'nucleoly' in \"localization\"; did you mean 'nucleoli'?",
        "no cell has 'it''z' in \"cell_line\"; did you mean 'it''s'?", "no cell has 'A549' in \"cell_line\"",
      ])
    #expect(try unknown("cell_line LIKE 'x%' OR passage = 77 OR cell_line = 'U2OS'") == [])
    #expect(try unknown("cell_line IN ('a1', 'b2', 'c3', 'd4')").count == 3)
    // A pattern in which nothing stands for something else.
    #expect(
      try unknown("cell_line LIKE 'U2' OR localization HAS LIKE 'cytosol' OR cell_line LIKE '%'") == [
        "no cell has 'U2' in \"cell_line\"; LIKE compares whole texts: write '%U2%' for a part of them"
      ])
    #expect(try unknown("cell_line LIKE 'a!%' ESCAPE '!'").first?.hasPrefix("no cell has 'a%' in") == true)
    #expect(try unknown("cell_line LIKE ''") == ["no cell has '' in \"cell_line\""])
  }

  @Test func wordsThatFollowOneAnotherMayBeANameInQuotes() {
    func remedy(_ text: String) -> String? { #expect(throws: Fault.self) { try Filter(text) }?.remedy }
    #expect(
      remedy("cell line type = 'x'")
        == "write a name of several words in double quotes, as in \"cell line type\"")
    #expect(remedy("cell line NOT IN ('x')")?.hasSuffix("as in \"cell line\"") == true)
    #expect(remedy("cell 3") == "" && remedy("cell AND x = 1") == "" && remedy("cell") == "")
  }

  @Test(arguments: ["gene LIK 'G1'", "gene LIK 'G1", "gene HASS ANY ('a')", "gene IZ NULL", "gene LIK"])
  func aMisspeltKeywordIsNoPartOfAName(text: String) {
    let fault = #expect(throws: Fault.self) { try Filter(text) }
    #expect(fault?.subject == "--where: column 6" && fault?.remedy == "")
    #expect(fault?.problem.hasPrefix("expected a comparison") == true)
  }

  @Test(arguments: [
    ("((passage=3))", "passage = 3"), ("NOT cell_line='U2OS'", "cell_line != 'U2OS'"),
    ("cell_line in('U2OS')", "cell_line = 'U2OS'"), ("not passage <3", "NOT passage < 3"),
    (
      "passage=1 or passage=2 and not(passage=3 or passage=4)",
      "passage = 1 OR (passage = 2 AND NOT (passage = 3 OR passage = 4))"
    ),
    ("\"passage\" is not null AND \"Cell Type\"='it''s'", "passage IS NOT NULL AND \"Cell Type\" = 'it''s'"),
    ("\"like\" LIKE 'a!%' escape '!'", "\"like\" LIKE 'a!%' ESCAPE '!'"),
    ("NOT localization HAS ANY('a','b')", "localization NOT HAS ANY ('a', 'b')"),
  ])
  func aFilterDescribesItself(text: String, expected: String) throws {
    #expect(try Filter(text).description == expected)
  }

  @Test func anExplanationHasTheRowsOfEachPart() throws {
    let parts = try Filter("NOT (passage = 3 OR cell_line = 'HEK 293') AND cell < 3").explanation(in: index)
    #expect(parts.map(\.depth) == [0, 1, 2, 2, 1])
    #expect(
      parts.map(\.text) == [
        "NOT (passage = 3 OR cell_line = 'HEK 293') AND cell < 3",
        "NOT (passage = 3 OR cell_line = 'HEK 293')",
        "passage != 3", "cell_line != 'HEK 293'", "cell < 3",
      ])
    #expect(parts.map { $0.rows.toArray() } == [[1], [1], [1, 2], [0, 1, 3], [0, 1, 2]])
    #expect(parts.allSatisfy { $0.duration <= parts[0].duration })
  }
}
