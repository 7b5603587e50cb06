import Faults
import Identity
import Imaging
import Ingest
import Storage
import TestSupport
import Testing

@Suite struct ImageMetadataTests {
  private let images = ["plate1/A01_s1", "plate1/A02_s1", "plate1/B01_s2"].map { name in
    FieldOfView(name: name, channels: [ChannelSource(role: "protein", path: "in/\(name)_green.png")])
  }

  private func join(
    _ table: String?, by column: String? = nil, namePattern: String? = nil, types: [String: FieldType] = [:],
    existing: [Field] = []
  ) throws -> ImageMetadata {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/wells.csv"
      if let table { try writeText(table, to: path) }
      return try ImageMetadata(
        table: table == nil ? nil : path, join: column, namePattern: namePattern, types: types,
        images: images,
        existing: existing)
    }
  }

  @Test(arguments: [
    "image,gene\nplate1/A01_s1,X\nplate1/B01_s2,Y\n", "file,gene\nA01_s1_green.png,X\nB01_s2_green.png,Y\n",
    "well,gene\nA01,X\nB01,Y\n", "name,gene\nA01_s1,X\nB01_s2,Y\n",
  ])
  func imagesAreFoundByNameFileOrPart(table: String) throws {
    let metadata = try join(table)
    #expect(metadata.values(of: "plate1/A01_s1")["gene"] == .string("X"))
    #expect(metadata.values(of: "plate1/B01_s2")["gene"] == .string("Y"))
    #expect(metadata.summary?.unmatchedImages == ["plate1/A02_s1"])
  }

  @Test func theTableIsKnownAsItWasRead() throws {
    try withTemporaryDirectory { directory in
      let (path, text) = ("\(directory)/t.csv", "\u{feff}image;gene\nplate1/A01_s1;X\n")
      try writeText(text, to: path)
      let metadata = try ImageMetadata(
        table: path, join: nil, namePattern: nil, types: [:], images: images, existing: [])
      #expect(metadata.values(of: "plate1/A01_s1")["gene"] == .string("X"))
      try writeText("others\n", to: path)
      let source = try #require(metadata.source)
      #expect(source.byteCount == text.utf8.count && source.digest == ContentHash(of: text).description)
      #expect(source.path.hasSuffix("/t.csv"))
    }
    #expect(try join(nil).source == nil)
  }

  @Test func unmatchedRowsAreReportedByLine() throws {
    let metadata = try join("well,dose\nA01,1\nZ99,2\nB01,3\nA02,4\n")
    #expect(metadata.summary?.unmatchedLines == [3])
    #expect(metadata.summary?.matchedImages == 3)
    #expect(metadata.summary?.join == "column \"well\" with parts of image names")
  }

  @Test func shortNumbersNameNoImageByThemselves() throws {
    let numbered = [1, 2, 3].map { site in
      FieldOfView(
        name: "plate7_D02_\(site)",
        channels: [ChannelSource(role: "protein", path: "in/plate7_D02_\(site).png")])
    }
    func join(_ table: String, by column: String? = nil) throws -> ImageMetadata {
      try withTemporaryDirectory { directory in
        try writeText(table, to: "\(directory)/t.csv")
        return try ImageMetadata(
          table: "\(directory)/t.csv", join: column, namePattern: nil, types: [:], images: numbered,
          existing: [])
      }
    }
    #expect(throws: Fault.self) { try join("gene,grade\nAAMP,1\nBAG6,2\n") }
    let asked = try join("gene,grade\nAAMP,1\nBAG6,2\n", by: "grade")
    #expect(asked.values(of: "plate7_D02_2")["gene"] == .string("BAG6"))
    let beside = try join("gene,well,site\nAAMP,D02,1\nBAG6,D02,2\n")
    #expect(beside.values(of: "plate7_D02_2")["gene"] == .string("BAG6"))
  }

  @Test func typesAreGuessedFromAllRows() throws {
    let metadata = try join(
      "well,dose,plate,labels,note\nA01,1.5,007,a;b,\"x, y\"\nA02,nan,008,b,\nB01,-2e3,009,,z\n")
    let values = metadata.values(of: "plate1/A01_s1")
    #expect(values["dose"] == .number(1.5))
    #expect(values["plate"] == .string("007"))
    #expect(values["labels"] == .list(["a", "b"]))
    #expect(values["note"] == .string("x, y"))
    #expect(metadata.values(of: "plate1/A02_s1")["dose"] == nil)
    #expect(metadata.values(of: "plate1/A02_s1")["labels"] == .list(["b"]))
    #expect(metadata.values(of: "plate1/B01_s2")["dose"] == .number(-2000))
  }

  /// Beyond 2^53 a number has other digits than the identifier: 12345678901234567 would be …568, as the next one is.
  @Test(arguments: [
    ("12345678901234567", "12345678901234568", true), ("9007199254740993", "1", true),
    ("-9007199254740993", "1", true), ("123456789012345678901", "1", true), ("9007199254740992", "1", false),
    ("12345678901234567000000", "1", true), ("100000000000000000000000", "1", false),
    ("0.12345678901234567", "1", false), ("1e300", "1", false),
  ])
  func wholeNumbersThatWouldLoseDigitsAreTexts(first: String, second: String, areTexts: Bool) throws {
    let table = "well,code\nA01,\(first)\nA02,\(second)\n"
    let guessed = try join(table).values(of: "plate1/A01_s1")["code"]
    #expect(guessed == (areTexts ? .string(first) : Double(first).map { .number($0) }))
    let asked = try join(table, types: ["code": .number]).values(of: "plate1/A01_s1")["code"]
    #expect(asked == Double(first).map { .number($0) })
  }

  @Test func whereOneListHasSemicolonsCommasAreAPartOfNamesInAll() throws {
    let table = "well,site\nA01,\"Cytoplasm, cytosol; Nucleus\"\nA02,\"Cytoplasm, rim\"\nB01,a|b\n"
    let metadata = try join(table)
    let values = images.map { metadata.values(of: $0.name)["site"] }
    #expect(values == [.list(["Cytoplasm, cytosol", "Nucleus"]), .list(["Cytoplasm, rim"]), .list(["a|b"])])
    // Without one, other marks part the items where lists are asked for.
    let others = try join("well,site\nA01,\"a,b\"\nA02,\"a,b|c\"\n", types: ["site": .list])
    #expect(others.values(of: "plate1/A01_s1")["site"] == .list(["a", "b"]))
    #expect(others.values(of: "plate1/A02_s1")["site"] == .list(["a,b", "c"]))
  }

  /// In a table that has no other list either.
  @Test(arguments: [["a"], ["a", "b"], ["a, b"], ["a|b"], ["a, b", "c"], ["a|b", "c, d"]])
  func aListIsReadAsItIsWritten(items: [String]) throws {
    let table = "well,site\nA01,\"\(FieldValue.list(items))\"\n"
    let metadata = try join(table, types: ["site": .list])
    #expect(metadata.values(of: "plate1/A01_s1")["site"] == .list(items))
  }

  @Test func declaredAndStoredTypesWinOverGuesses() throws {
    let table = "well,dose,labels\nA01,1,\"Cytosol,Nuclear speckles\"\n"
    let declared = try join(table, types: ["labels": .list, "dose": .string])
    #expect(declared.values(of: "plate1/A01_s1")["labels"] == .list(["Cytosol", "Nuclear speckles"]))
    #expect(declared.values(of: "plate1/A01_s1")["dose"] == .string("1"))
    let fault = #expect(throws: Fault.self) {
      try withTemporaryDirectory { directory in
        let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
        let field = try writer.write { try $0.field(named: "labels", type: .number) }
        _ = try join(table, existing: [field])
      }
    }
    #expect(fault?.description.contains("line 2: expected a number in column \"labels\"") == true)
  }

  @Test func rowsOfOneImageThatContradictLeaveTheFieldOut() throws {
    let metadata = try join("well,file,gene\nA01,a.png,X\nA01,b.png,X\n", by: "well")
    #expect(metadata.values(of: "plate1/A01_s1")["gene"] == .string("X"))
    #expect(metadata.values(of: "plate1/A01_s1")["file"] == nil)
    #expect(metadata.summary?.contradictions == ["file": 1])
  }

  @Test func plateAndWellTogetherNameAnImage() throws {
    let images = ["P1_A01_s1", "P1_A02_s1", "P2_A01_s1", "P2_A02_s1"].map {
      FieldOfView(name: $0, channels: [])
    }
    let metadata = try withTemporaryDirectory { directory in
      try writeText(
        "plate,well,gene,remark\nP1,A01,a,s1\nP1,A02,b,\nP2,A01,c,\nP9,A02,d,\n", to: "\(directory)/m.csv")
      return try ImageMetadata(
        table: "\(directory)/m.csv", join: nil, namePattern: nil, types: [:], images: images, existing: [])
    }
    #expect(
      images.map { metadata.values(of: $0.name)["gene"] } == [.string("a"), .string("b"), .string("c"), nil])
    #expect(metadata.summary?.join == "columns \"plate\", \"well\" with parts of image names")
    #expect(metadata.summary?.contradictions == [:])
    #expect(metadata.summary?.unmatchedLines == [5])
  }

  @Test func namesThatReportsHaveForThemselvesJoinButBecomeNoField() throws {
    #expect(throws: Fault.self) { try join(nil, namePattern: "(?<image>.*)") }
    #expect(throws: Fault.self) { try join(nil, namePattern: "(?<cell>.*)") }
    let metadata = try join("cell,rank,gene\nA01,1,X\n", by: "cell")
    #expect(metadata.values(of: "plate1/A01_s1") == ["gene": .string("X")])
    #expect(metadata.summary?.skippedColumns == ["cell", "rank"])
  }

  @Test func typesMayBeThoseOfGroupsAndOfColumnsAndOfNothingElse() throws {
    let pattern = "(?<site>\\d)$"
    let types: [String: FieldType] = ["site": .string, "dose": .string]
    let metadata = try join("well,dose\nA01,1\n", namePattern: pattern, types: types)
    #expect(
      metadata.values(of: "plate1/A01_s1") == [
        "site": .string("1"), "dose": .string("1"), "well": .string("A01"),
      ])
    #expect(throws: Fault.self) { try join(nil, namePattern: pattern, types: types) }
    #expect(throws: Fault.self) { try join("well,dose\nA01,1\n", types: types) }
  }

  @Test func namedGroupsBecomeFieldsAndJoin() throws {
    let pattern = "(?<row>[A-H])(?<column>\\d\\d)_s(?<site>\\d)"
    let alone = try join(nil, namePattern: pattern)
    #expect(alone.values(of: "plate1/B01_s2")["row"] == .string("B"))
    #expect(alone.values(of: "plate1/B01_s2")["site"] == .number(2))
    let joined = try join("row,column,gene\nA,01,X\nB,01,Y\n", namePattern: pattern)
    #expect(joined.values(of: "plate1/A01_s1")["gene"] == .string("X"))
    #expect(joined.values(of: "plate1/B01_s2")["gene"] == .string("Y"))
    #expect(joined.summary?.unmatchedImages == ["plate1/A02_s1"])
  }

  @Test func aTableThatMatchesNothingSaysWhatItLookedFor() throws {
    let fault = #expect(throws: Fault.self) { try join("sample,gene\nfoo,X\n") }
    #expect(
      fault?.problem
        == "expected a column that names images such as \"plate1/A01_s1\", found none in sample, gene")
    #expect(throws: Fault.self) { try join("well,gene\nA01,X\n", by: "Well") }
    #expect(throws: Fault.self) { try join(nil, namePattern: "([") }
    #expect(throws: Fault.self) { try join(nil, namePattern: "no groups") }
  }

  @Test func cytominingPrefixesAreDropped() throws {
    let metadata = try join("Metadata_Well,Metadata_Gene\nA01,X\n")
    #expect(metadata.values(of: "plate1/A01_s1")["Gene"] == .string("X"))
  }
}
