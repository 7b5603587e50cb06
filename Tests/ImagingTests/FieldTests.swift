import Faults
import FoundationEssentials
import Glibc
import TestSupport
import Testing

@testable import Imaging

@Suite struct WildcardTests {
  @Test(arguments: [
    ("*_green.png", "A01_green.png", ["A01"]), ("*.png", ".png", [""]), ("a*b*c", "aXbYbZc", ["X", "YbZ"]),
    ("?01.tif", "A01.tif", ["A"]), ("*?", "abc", ["abc"]), ("s?_w*.tif", "s1_w2.tif", ["1", "2"]),
    ("plain.png", "plain.png", []), ("**_x", "a_x", ["a"]), ("*ä*", "xäy", ["x", "y"]),
  ])
  func wildcardsMatch(pattern: String, text: String, runs: [String]) {
    #expect(Wildcard(pattern).match(text) == [runs])
  }

  @Test(arguments: [
    ("*_green.png", "A01_red.png"), ("?.png", ".png"), ("*.png", "A.PNG"), ("a*b", "ab/b"), ("*", "a/b"),
    ("abc", "ab"), ("ab", "abc"), ("*a", ""), ("a/*.png", "b/x.png"),
  ])
  func otherTextsDoNotMatch(pattern: String, text: String) {
    #expect(Wildcard(pattern).match(text) == nil)
  }

  @Test func matchingAgreesWithTryingEverything() {
    func matches(_ text: Substring, _ pattern: Substring) -> Bool {
      guard let first = pattern.first else { return text.isEmpty }
      if first == "*" {
        return matches(text, pattern.dropFirst()) || !text.isEmpty && matches(text.dropFirst(), pattern)
      }
      guard let head = text.first, first == "?" || first == head else { return false }
      return matches(text.dropFirst(), pattern.dropFirst())
    }
    var numbers = TestNumbers(seed: 1)
    for _ in 0..<1000 {
      let text = String((0..<numbers.next(below: 8)).map { _ in Array("ab")[numbers.next(below: 2)] })
      let pattern = String((0..<numbers.next(below: 6)).map { _ in Array("ab*?")[numbers.next(below: 4)] })
      #expect(
        (Wildcard(pattern).match(text) != nil) == matches(text[...], pattern[...]), "\(pattern) \(text)")
    }
  }

  @Test func digitsCountAsNumbers() {
    let names = ["A10", "A2", "a1", "A02", "B1", "A2b", "A2/x", ""]
    #expect(names.sorted(by: precedesNaturally) == ["", "A02", "A2", "A2/x", "A2b", "A10", "B1", "a1"])
  }
}

@Suite struct MisnamedFileTests {
  private func withFiles(_ names: [[UInt8]], _ body: (String) throws -> Void) throws {
    try withTemporaryDirectory { folder in
      for name in names {
        let path = Array("\(folder)/".utf8) + name + [0]
        let descriptor = path.withUnsafeBytes {
          open($0.bindMemory(to: CChar.self).baseAddress!, O_WRONLY | O_CREAT, 0o600)
        }
        #expect(descriptor >= 0)
        close(descriptor)
      }
      try body(folder)
    }
  }

  @Test func filesOfAPatternWhoseNamesAreNotUTF8AreNamed() throws {
    let latin = Array("caf".utf8) + [0xE9]
    try withFiles(
      [Array("ä_n.png".utf8), latin + Array("_n.png".utf8), latin + Array(".txt".utf8), [0x2E] + latin]
    ) { folder in
      #expect(mkdir("\(folder)/sub", 0o700) == 0)
      let subfolder = Array("\(folder)/".utf8).map { CChar(bitPattern: $0) } + [CChar(bitPattern: 0xFF), 0]
      #expect(mkdir(subfolder, 0o700) == 0)
      let found = try findImages(
        in: folder, channels: [ChannelPattern(parsing: "nucleus=*_n.png")], mask: nil)
      #expect(found.images.map(\.name) == ["ä"] && found.unmatchedFiles == 1)
      #expect(found.problems.map(\.subject) == ["\(folder)/\\xFF", "\(folder)/caf\\xE9_n.png"])
      #expect(found.problems.allSatisfy { $0.kind == .badData && $0.problem.contains("not UTF-8") })
    }
  }

  @Test func aFolderOfNothingElseSaysWhyItHasNoImage() throws {
    try withFiles([[0xC3, 0x28] + Array("_n.png".utf8)]) { folder in
      let fault = #expect(throws: Fault.self) {
        try findImages(in: folder, channels: [ChannelPattern(parsing: "nucleus=*_n.png")], mask: nil)
      }
      #expect(fault?.subject == "\(folder)/\\xC3(_n.png" && fault?.problem.contains("not UTF-8") == true)
    }
  }
}

@Suite struct ChannelPatternTests {
  @Test func rolesPatternsAndPlanesAreRead() throws {
    let green = try ChannelPattern(parsing: "protein=*_green.png")
    #expect(green == (try ChannelPattern(role: "protein", pattern: "*_green.png")))
    #expect(green.plane == nil)
    #expect(try ChannelPattern(parsing: "dna=./x=*.tif#12").pattern == "x=*.tif")
    #expect(try ChannelPattern(parsing: "dna=x=*.tif#12").plane == 12)
    #expect(try ChannelPattern(parsing: "dna=img#*.tif").pattern == "img#*.tif")
  }

  @Test(arguments: ["", "*.png", "=*.png", "dna=", "dna=/abs/*.png", "dna=#1", "dna=folder/"])
  func anythingElseIsAUsageFault(text: String) throws {
    #expect(try #require(throws: Fault.self) { try ChannelPattern(parsing: text) }.kind == .usage)
  }
}

@Suite struct FindImagesTests {
  /// Makes empty files and looks for images among them.
  private func grouping(
    of files: [String], _ channels: [String], mask: String? = nil, in subfolder: String = ""
  ) throws -> (Grouping, folder: String) {
    try withTemporaryDirectory { folder in
      for file in files {
        let url = URL(filePath: "\(folder)/\(file)")
        try FileManager.default.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data().write(to: url)
      }
      let patterns = try channels.map { try ChannelPattern(parsing: $0) }
      return (try findImages(in: folder + subfolder, channels: patterns, mask: mask), folder)
    }
  }

  @Test func filesOfOneNameAreOneImage() throws {
    let files = [
      "A10_r.png", "A10_g.png", "d/A2_g.png", "d/A2_r.png", "A2_g.png", "A2_r.png", "notes.txt", ".A3_g.png",
    ]
    let (found, folder) = try grouping(of: files, ["red=*_r.png", "green=*_g.png"])
    #expect(found.images.map(\.name) == ["A2", "A10", "d/A2"])
    #expect(found.images[2].channels.map(\.path) == ["\(folder)/d/A2_r.png", "\(folder)/d/A2_g.png"])
    #expect(found.images[2].channels.map(\.role) == ["red", "green"])
    #expect(found.problems.isEmpty)
    #expect(found.unmatchedFiles == 1)
  }

  @Test func databasesArePassedOver() throws {
    let files = ["a.png", "lab/data.mdb", "lab/b.png", "lab/deeper/c.png", "d/data.mdb.png", "data.mdb"]
    let (found, _) = try grouping(of: files, ["x=*.png"])
    #expect(found.images.map(\.name) == ["a", "d/data.mdb"])
    #expect(found.problems.isEmpty && found.unmatchedFiles == 1)
  }

  @Test func foldersMayStandForChannelsAndMasks() throws {
    let files = ["images/a.png", "labels/a.png", "images/b.png", "labels/b.png"]
    let (found, folder) = try grouping(of: files, ["dna=images/*.png"], mask: "labels/*.png")
    #expect(found.images.map(\.name) == ["a", "b"])
    #expect(found.images[1].mask?.path == "\(folder)/labels/b.png")
    let nested = try grouping(of: ["p1/g/a.tif", "p2/g/a.tif"], ["g=*/g/*.tif"]).0
    #expect(nested.images.map(\.name) == ["p1/a", "p2/a"])
  }

  @Test func theMoreLiteralPatternTakesTheFile() throws {
    let (found, _) = try grouping(of: ["a.png", "a_mask.png"], ["dna=*.png"], mask: "*_mask.png")
    #expect(found.images.map(\.name) == ["a"])
    #expect(found.problems.isEmpty)
  }

  @Test func planesOfOneFileAreChannels() throws {
    let (found, _) = try grouping(of: ["a.tif"], ["dna=*.tif#0", "protein=*.tif#1"])
    #expect(found.images[0].channels.map(\.plane) == [0, 1])
  }

  @Test func imagesThatLackAFileAreProblems() throws {
    let files = ["a_g.png", "b_g.png", "b_m.png", "c_g.png", "c_m.png"]
    let (narrow, _) = try grouping(of: files + ["x/c_m.png"], ["g=*_g.png"], mask: "*_m.png")
    #expect(narrow.images.map(\.name) == ["b", "c"])
    #expect(narrow.problems.map(\.subject) == ["a", "x/c"])
    #expect(narrow.problems[0].description.contains("no file for mask (*_m.png)"))
  }

  @Test func twoFilesForOneChannelAreAProblem() throws {
    let (found, _) = try grouping(of: ["a-b_c.png", "a_b-c.png"], ["g=*-*.png"])
    #expect(found.images.isEmpty)
    #expect(found.problems[0].description.contains("expected one file for g (*-*.png), found 2"))
  }

  @Test func aFileStandsForItsImages() throws {
    let files = ["A1_g.png", "A1_r.png", "A2_g.png", "A2_r.png"]
    let (found, folder) = try grouping(of: files, ["g=*_g.png", "r=*_r.png"], in: "/A2_r.png")
    #expect(found.images.map(\.name) == ["A2"])
    #expect(found.images[0].channels[0].path == "\(folder)/A2_g.png")
  }

  @Test func noMatchAtAllIsAFaultThatShowsWhatIsThere() throws {
    let fault = try #require(throws: Fault.self) {
      try grouping(of: ["1.tif", "2.tif", "3.tif", "4.tif"], ["dna=*.png"])
    }
    #expect(fault.kind == .missingInput)
    #expect(fault.problem == "expected files named *.png (dna), found 4 others: 1.tif, 2.tif, 3.tif, ...")
    #expect(
      try #require(throws: Fault.self) { try grouping(of: [], ["dna=*.png"]) }.problem.hasSuffix("no files"))
    #expect(throws: Fault.self) { try grouping(of: ["a"], ["dna=*"], in: "/none") }
    #expect(throws: Fault.self) { try grouping(of: ["a"], ["dna=*", "dna=b"]) }
    #expect(throws: Fault.self) { try grouping(of: ["a"], []) }
  }

  @Test func linksToFilesAreFollowedAndLinksToFoldersAreNot() throws {
    try withTemporaryDirectory { folder in
      let files = FileManager.default
      try Data().write(to: URL(filePath: "\(folder)/a.png"))
      try files.createSymbolicLink(atPath: "\(folder)/b.png", withDestinationPath: "a.png")
      try files.createSymbolicLink(atPath: "\(folder)/again", withDestinationPath: ".")
      try files.createSymbolicLink(atPath: "\(folder)/c.png", withDestinationPath: "gone.png")
      let found = try findImages(in: "\(folder)/", channels: [ChannelPattern(parsing: "x=*.png")], mask: nil)
      #expect(found.images.map(\.name) == ["a", "b"])
      #expect(found.images[0].channels[0].path == "\(folder)/a.png")
      #expect(found.problems.map(\.subject) == ["\(folder)/c.png"])
      #expect(found.problems.map(\.problem) == ["is a link to a file that does not exist"])
    }
  }

  /// A link that leads to nothing is told once, for what it is, and hides no wrong pattern.
  @Test func aBrokenLinkIsToldOnce() throws {
    try withTemporaryDirectory { folder in
      for file in ["A1_g.png", "A1_r.png", "A2_g.png", "A3_g.png"] {
        try Data().write(to: URL(filePath: "\(folder)/\(file)"))
      }
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder)/A2_r.png", withDestinationPath: "gone.png")
      func found(_ patterns: [String]) throws -> Grouping {
        try findImages(in: folder, channels: patterns.map { try ChannelPattern(parsing: $0) }, mask: nil)
      }
      let both = try found(["g=*_g.png", "r=*_r.png"])
      #expect(both.images.map(\.name) == ["A1"])
      #expect(both.passedOver.map(\.subject) == ["\(folder)/A2_r.png"])
      #expect(both.incomplete.map(\.subject) == ["A3"])
      let wrong = try #require(throws: Fault.self) { try found(["g=*_g.png", "r=*_r.png", "b=*_b.png"]) }
      #expect(wrong.problem.hasPrefix("expected files named *_b.png (b), found 4 others"))
      let broken = try #require(throws: Fault.self) { try found(["g=*_g.png", "r=A2_r*.png"]) }
      #expect(broken.subject == "\(folder)/A2_r.png")
    }
  }
}

@Suite struct FieldImageTests {
  private func source(_ role: String, _ file: String, _ plane: Int? = nil) -> ChannelSource {
    ChannelSource(role: role, path: imagePath(file), plane: plane)
  }

  @Test func channelsAreReadInTheirOrder() throws {
    let field = FieldOfView(
      name: "a", channels: [source("x", "pages.tif", 2), source("b", "gray8.png")],
      mask: source("mask", "gray4.png"))
    let image = try readFieldOfView(field)
    #expect(image.roles == ["x", "b"])
    #expect(image.planes[0] == (try ImageFile.plane(2, at: imagePath("pages.tif"))))
    #expect(image.sources.map(\.plane) == [2, 0])
    #expect(
      image.mask?.labels == (try ImageFile.plane(0, at: imagePath("gray4.png")).pixels.map { UInt32($0) }))
  }

  @Test func theIdentityIsWhatPythonComputes() throws {
    let channels = [
      source("nucleus", "gray8.png"), source("Protein", "gray16.png"),
      source("er", "float32-little-plain-strips.tif"),
    ]
    let expected = String(decoding: try #require(bytes(ofFile: imagePath("identity.txt"))), as: UTF8.self)
    for order in [channels, channels.reversed()] {
      let image = try readFieldOfView(FieldOfView(name: "any", channels: order))
      #expect("\(image.identity)\n" == expected)
    }
  }

  @Test func differentSizesAreAFaultThatSaysWhich() throws {
    let small = plane([[1, 2]])
    let tall = plane([[1], [2]])
    let channels = try #require(throws: Fault.self) {
      try FieldImage(name: "A01", roles: ["r", "g"], planes: [small, tall])
    }
    #expect(channels.description.contains("A01: expected channels of one size, found r 2x1, g 1x2"))
    let mask = try #require(throws: Fault.self) {
      try FieldImage(name: "A01", roles: ["r"], planes: [small], mask: LabelImage(tall))
    }
    #expect(mask.description.contains("a mask of another size, 1x2"))
  }

  @Test func aMaskOfFractionsIsAFaultThatNamesTheFile() throws {
    let file = "float32-little-plain-strips.tif"
    let field = FieldOfView(name: "a", channels: [source("x", "gray8.png")], mask: source("mask", file))
    let fault = try #require(throws: Fault.self) { try readFieldOfView(field) }
    #expect(fault.subject == "\(imagePath(file)): label mask")
  }
}
