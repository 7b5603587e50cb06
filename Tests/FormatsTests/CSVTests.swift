import Faults
import Randomness
import TestSupport
import Testing

@testable import Formats

private func table(_ text: String, delimiter: CSVDelimiter = .comma) throws -> CSVTable {
  try CSVTable(text: text, name: "plate.csv", delimiter: delimiter)
}

private func fault(_ text: String) -> String? {
  #expect(throws: Fault.self) { try table(text) }?.description
}

@Suite struct CSVTests {
  @Test func fieldsAndColumnsAreReadAsWritten() throws {
    let table = try table("well,gene,note\nA01,TP53,\nA02, SON ,ok\n")
    #expect(table.columns == ["well", "gene", "note"])
    #expect(table.rows == [["A01", "TP53", ""], ["A02", " SON ", "ok"]])
  }

  @Test func quotedFieldsHoldDelimitersQuotesAndLineBreaks() throws {
    let table = try table("a,b\n\"x,y\",\"say \"\"hi\"\"\"\n\"two\r\nlines\",\"\"\nlast,row\n")
    #expect(table.rows == [["x,y", "say \"hi\""], ["two\r\nlines", ""], ["last", "row"]])
    #expect(table.lineNumbers == [2, 3, 5])
  }

  @Test(arguments: ["\n", "\r\n", "\r"])
  func everyLineEndingIsReadWithAndWithoutTheLastOne(ending: String) throws {
    for last in ["", ending] {
      let table = try table("a,b\(ending)1,2\(ending)\(ending)3,\(last)")
      #expect(table.rows == [["1", "2"], ["3", ""]])
      #expect(table.lineNumbers == [2, 4])
    }
  }

  @Test func whiteSpaceAroundIsNoPartOfAName() throws {
    #expect(try table("gene, dose ,\" a b \"\nX, 1,y\n").columns == ["gene", "dose", "a b"])
    #expect(throws: Fault.self) { try table("gene, gene\nX,Y\n") }
  }

  @Test func aByteOrderMarkIsNoPartOfTheFirstName() throws {
    #expect(try table("\u{FEFF}a,b\n1,2\n").columns == ["a", "b"])
    #expect(try table("\u{FEFF}\"a\",b\n").columns == ["a", "b"])
  }

  @Test func aQuoteInsideABareFieldIsText() throws {
    #expect(try table("a\n5\" plate\n").rows == [["5\" plate"]])
  }

  @Test func theExtensionChoosesTheDelimiterUnlessOneIsGiven() throws {
    #expect(CSVDelimiter(forPath: "x/PLATE.TSV") == .tab)
    #expect(CSVDelimiter(forPath: "plate.csv") == .comma)
    try withTemporaryDirectory { folder in
      let path = "\(folder)/plate.tsv"
      var writer = try CSVWriter(path: path)
      try writer.write(["a", "b,c"])
      try writer.write(["1", "2,"])
      try writer.close()
      #expect(try CSVTable(path: path).rows == [["1", "2,"]])
      #expect(try CSVTable(path: path, delimiter: .comma).columns == ["a\tb", "c"])
    }
  }

  @Test(arguments: [
    ("image;gene\na,1;b\n", ["image", "gene"]), ("\u{FEFF}\r\n\"a,b\";c\r\n1;2", ["a,b", "c"]),
    ("image,localization\na,b;c\n", ["image", "localization"]), ("a;b,c\n1,2\n", ["a;b", "c"]),
    ("\"a;b\"\n1\n", ["a;b"]), ("gene\nx;y\n", ["gene"]), ("a\tb\nx\t1,5\n", ["a", "b"]),
    ("a\tb;c\nx;1\n", ["a\tb", "c"]), ("a\tb,c\nx,1\n", ["a\tb", "c"]), ("\"a\tb\"\n1\n", ["a\tb"]),
  ])
  func semicolonsOrTabsSeparateWhereTheHeaderHasNoComma(text: String, columns: [String]) throws {
    try withTemporaryDirectory { folder in
      let path = "\(folder)/plate.csv"
      var file = try AtomicFile(path: path)
      try file.write(Array(text.utf8))
      try file.commit()
      #expect(try CSVTable(path: path).columns == columns)
    }
  }

  @Test func faultsNameTheFileTheLineAndWhatIsWrong() {
    #expect(
      fault("a,b\n1,2\n1\n") == "plate.csv line 3: expected 2 columns (as in the header), found 1")
    #expect(fault("a\n1,2\n") == "plate.csv line 2: expected 1 column (as in the header), found 2")
    #expect(fault("a,b\n1,\"2\n3,4\n") == "plate.csv line 2: the quote that opens on this line is not closed")
    #expect(
      fault("a,b\n\"1\"2,3\n")
        == "plate.csv line 2: text follows the closing quote of field 1; double the quotes inside a quoted field"
    )
    #expect(
      fault("a,b,a\n") == "plate.csv line 1: two columns are named 'a'; rename one of them")
    for empty in ["", "\u{FEFF}", "\n\r\n"] {
      #expect(
        fault(empty)
          == "plate.csv: expected a header line with the names of the columns, found an empty file")
    }
  }

  @Test func bytesThatAreNotUTF8AreAFaultThatNamesTheLine() {
    let bytes = Array("a,b\n1,2\n3,".utf8) + [0xB5] + Array("m\n".utf8)
    let fault = #expect(throws: Fault.self) {
      var reader = try CSVReader(bytes: bytes, name: "plate.csv")
      while try reader.next() != nil {}
    }
    #expect(
      fault?.description == "plate.csv line 3: is not valid UTF-8; save the table as CSV UTF-8 and try again")
  }

  @Test func halvesOfACharacterInTwoFieldsAreNoText() {
    for row in [[0xC3, 0x2C, 0xA9, 0x0A], [0x22, 0xC3, 0x22, 0x2C, 0xA9, 0x0A]] as [[UInt8]] {
      let fault = #expect(throws: Fault.self) {
        var reader = try CSVReader(bytes: Array("a,b\n".utf8) + row, name: "plate.csv")
        while try reader.next() != nil {}
      }
      #expect(fault?.problem == "is not valid UTF-8")
    }
  }

  /// Lines of all lengths, so that some end at each place of the buffer, between them some that need quotes.
  @Test(arguments: ["\n", "\r\n", "\r"])
  func rowsReadInPiecesAreThoseOfTheTable(ending: String) throws {
    let rows = (0..<9000).map { row -> [String] in
      ["\(row)", String(repeating: "é", count: row % 23), row.isMultiple(of: 97) ? "x,\"y\"" : "z"]
    }
    let lines = rows.map { String(CSVDelimiter.comma.line($0).dropLast()) }
    let text = (["a,b,c"] + lines).joined(separator: ending)
    #expect(text.utf8.count > 3 << 16)
    try withTemporaryDirectory { folder in
      let path = "\(folder)/rows.csv"
      var file = try AtomicFile(path: path)
      try file.write(Array(text.utf8))
      try file.commit()
      var reader = try CSVReader(path: path)
      var found: [[String]] = []
      var lineNumbers: [Int] = []
      var piece = CSVRows()
      repeat {
        piece.removeAll()
        try reader.read(1000, into: &piece)
        let texts = piece.withUnsafeFields { bytes, bounds in
          bounds.map { String(decoding: UnsafeRawBufferPointer(rebasing: bytes[$0]), as: UTF8.self) }
        }
        for row in 0..<piece.count { found.append(Array(texts[row * 3..<row * 3 + 3])) }
        lineNumbers += piece.lines
      } while piece.count == 1000
      #expect(found == rows)
      #expect(lineNumbers == Array(2..<9002))
    }
  }

  @Test func unnamedColumnsMayRepeat() throws {
    #expect(try table(",a,\n1,2,3\n").columns == ["", "a", ""])
  }

  @Test func aMissingFileOrAFolderIsAFault() {
    #expect(throws: Fault.self) { try CSVTable(path: "/no/such/table.csv") }
    #expect(throws: Fault.self) { try CSVTable(path: "/tmp") }
  }

  @Test func rowsThatSpanTheReadBufferAreWhole() throws {
    try withTemporaryDirectory { folder in
      let path = "\(folder)/long.csv"
      let long = String(repeating: "é,\n\"", count: 30_000)
      var writer = try CSVWriter(path: path)
      try writer.write(["id", "text"])
      for id in 0..<3 { try writer.write([String(id), long]) }
      try writer.close()
      let table = try CSVTable(path: path)
      #expect(table.rows == (0..<3).map { [String($0), long] })
      #expect(table.lineNumbers == [2, 30_003, 60_004])
    }
  }

  @Test func whatIsWrittenReadsBackTheSame() throws {
    var generator = SeededGenerator(seed: 1)
    let alphabet = Array("ab,\t;\"\n\r'é 0")
    for _ in 0..<100 {
      let columnCount = Int.random(in: 1...4, using: &generator)
      let rows = (0..<5).map { _ in
        (0..<columnCount).map { _ in
          String(
            (0..<Int.random(in: 0...5, using: &generator)).map { _ in
              alphabet.randomElement(using: &generator)!
            })
        }
      }
      for delimiter in CSVDelimiter.allCases {
        let header = (0..<columnCount).map { "c\($0)" }
        let text = ([header] + rows).map { delimiter.line($0) }.joined()
        #expect(try table(text, delimiter: delimiter).rows == rows)
      }
    }
  }

  @Test func mutatedTablesAreReadOrRefusedButNeverCrash() {
    var generator = SeededGenerator(seed: 2)
    let original = Array("a,\"b\"\"c\",d\r\n1,\"2\n3\",é\n,,\n\"x\",y,\"\"\n".utf8)
    for _ in 0..<1000 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch generator.next() % 3 {
        case 0: bytes[place] = UInt8(truncatingIfNeeded: generator.next())
        case 1: bytes.remove(at: place)
        default: bytes.insert([0x22, 0x2C, 0x0A, 0x0D].randomElement(using: &generator)!, at: place)
        }
      }
      do {
        var reader = try CSVReader(bytes: bytes, name: "mutated")
        while let row = try reader.next() { #expect(row.fields.count == reader.columns.count) }
      } catch {
        #expect(error.kind == .badData)
      }
    }
  }

  @Test func anUnfinishedFileLeavesNothingBehindAndTheOldOneAlone() throws {
    try withTemporaryDirectory { folder in
      let path = "\(folder)/out.csv"
      var first = try CSVWriter(path: path)
      try first.write(["old"])
      try first.close()
      do {
        var second = try CSVWriter(path: path)
        try second.write(["new"])
      }
      #expect(try CSVTable(path: path).columns == ["old"])
      #expect(try filesIn(folder) == ["out.csv"])
    }
  }

  @Test func aDeviceOrMissingFolderIsNotWrittenTo() {
    #expect(throws: Fault.self) { _ = try CSVWriter(path: "/dev/null") }
    let fault = #expect(throws: Fault.self) { _ = try CSVWriter(path: "/no/such/folder/out.csv") }
    #expect(fault?.kind == .cannotCreate)
  }
}

extension CSVDelimiter {
  fileprivate func line(_ fields: [String]) -> String {
    var bytes: [UInt8] = []
    append(lineOf: fields.count, to: &bytes) { fields[$0] }
    return String(decoding: bytes, as: UTF8.self)
  }
}
