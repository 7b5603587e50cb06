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
      "--where: column 1: field \"cell_line\" holds one text per cell; only numbers have an order; use = or IN"
    ),
    (
      "cell_line BETWEEN 'A' AND 'B'",
      "--where: column 1: field \"cell_line\" holds one text per cell; only numbers have an order; use = or IN"
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
      "--where: column 10: expected a comparison (=, !=, <, <=, >, >=, IN, BETWEEN, HAS, IS NULL) "
        + "after \"cell_line\", found the end of the filter"
    ),
    ("(passage = 3", "--where: column 13: expected ), found the end of the filter"),
    ("passage = 3)", "--where: column 12: expected AND, OR or the end, found ')'"),
    ("passage IN ()", "--where: column 13: expected a text in single quotes or a number, found ')'"),
    ("passage IN (1 2)", "--where: column 15: expected a comma or ), found '2'"),
    ("passage NOT = 3", "--where: column 13: expected IN, BETWEEN or HAS after NOT, found '='"),
    ("passage = 3x", "--where: column 11: '3x' is not a number; write texts in single quotes, as in 'U2OS'"),
    ("passage = 1e999", "--where: column 11: the number 1e999 is out of range"),
    ("passage = 3; drop", "--where: column 12: unexpected character ';'"),
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
    let chain = Array(repeating: "passage = 3", count: 2000).joined(separator: " OR ")
    #expect(try rows(chain) == [0])
  }

  @Test func aCombiningMarkDoesNotHideAQuote() throws {
    #expect(try rows("cell_line = 'U2OS' OR cell_line = '\u{301}'") == [0, 1])
  }
}
