import Faults
import Formats
import Glibc
import TestSupport
import Testing

@testable import Simulation

@Suite struct SimulationFolderTests {
  private static func tiny(seed: UInt64 = 1, fields: Int = 4, isLayered: Bool = false) -> SimulationOptions {
    var options = SimulationOptions()
    options.fieldCount = fields
    options.cellsPerField = 2
    options.sizePx = 48
    options.seed = seed
    options.isLayered = isLayered
    return options
  }

  private static let fields = ["P1_A01_s1", "P2_A01_s1", "P1_A02_s1", "P2_A02_s1"]
  private static let tables = ["cells.csv", "metadata.csv"]
  private static let note = "unfinished-simulation"
  /// All that a simulation of one field leaves.
  private static let oneField =
    ["mask", "nucleus", "protein"].map { "P1_A01_s1_\($0).png" } + tables

  /// The files of a folder by name; nil for what is no file.
  private func contents(of folder: String) throws -> [String: [UInt8]?] {
    let stream = try #require(opendir(folder))
    defer { closedir(stream) }
    var contents: [String: [UInt8]?] = [:]
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { contents.updateValue(bytes(ofFile: "\(folder)/\(name)"), forKey: name) }
    }
    return contents
  }

  private func names(in folder: String) throws -> [String] { try contents(of: folder).keys.sorted() }

  /// Begins a simulation and ends it after two fields.
  private func interrupt(_ options: SimulationOptions, in folder: String) {
    let fault = #expect(throws: Fault.self) {
      try simulate(
        into: folder, options: options,
        isCancelled: { access("\(folder)/P2_A01_s1_mask.png", F_OK) == 0 })
    }
    #expect(fault?.kind == .cancelled)
  }

  private func expectRefusal(of options: SimulationOptions, in folder: String, replaces: Bool = true) throws {
    let before = try contents(of: folder)
    let fault = #expect(throws: Fault.self) {
      try simulate(into: folder, options: options, replaces: replaces)
    }
    #expect(fault?.kind == .cannotCreate && fault?.subject == folder)
    if replaces { #expect(fault?.remedy == "remove its images or name another folder") }
    #expect(try contents(of: folder) == before)
  }

  /// A folder in the place of an image cannot be removed as a file.
  private func withObstacle(at path: String, _ body: () throws -> Void) throws {
    _ = unlink(path)
    #expect(mkdir(path, 0o755) == 0)
    try body()
    #expect(rmdir(path) == 0)
  }

  @Test func aFolderIsOneSimulationsAtATime() throws {
    try withTemporaryDirectory { folder in
      let lock = try FolderLock(folder, problem: "is taken")
      for replaces in [false, true] {
        let fault = #expect(throws: Fault.self) {
          try simulate(into: folder, options: Self.tiny(), replaces: replaces)
        }
        #expect(fault?.kind == .locked && fault?.subject == folder)
      }
      #expect(try names(in: folder) == [])
      withExtendedLifetime(lock) {}
    }
    try withTemporaryDirectory { folder in
      do { _ = try FolderLock(folder, problem: "is taken") }
      _ = try simulate(into: folder, options: Self.tiny(fields: 1))
      #expect(try names(in: folder) == Self.oneField)
    }
  }

  @Test func imagesThatCannotBeRemovedStayUnderTheTablesOrTheNoteOfTheirSimulation() throws {
    try withTemporaryDirectory { folder in
      let (whole, part) = ("\(folder)/whole", "\(folder)/part")
      _ = try simulate(into: whole, options: Self.tiny(seed: 2))
      interrupt(Self.tiny(seed: 2), in: part)
      for place in [whole, part] {
        let before = try contents(of: place)
        let obstacle = "\(place)/P2_A01_s1_protein.png"
        try withObstacle(at: obstacle) {
          let fault = #expect(throws: Fault.self) {
            try simulate(into: place, options: Self.tiny(fields: 1), replaces: true)
          }
          #expect(fault?.kind == .inputOutput && fault?.subject == obstacle)
          let left = try contents(of: place)
          #expect(!left.keys.contains("P1_A01_s1_mask.png"))
          for (name, content) in left where content != nil { #expect(content == before[name]) }
          for sign in Self.tables + [Self.note] { #expect(left[sign] == before[sign]) }
          let other = #expect(throws: Fault.self) {
            try simulate(into: place, options: Self.tiny(fields: 1))
          }
          #expect(other?.kind == .cannotCreate && other?.subject == place)
        }
        _ = try simulate(into: place, options: Self.tiny(fields: 1), replaces: true)
        #expect(try names(in: place) == Self.oneField)
      }
    }
  }

  @Test func theNewNoteIsThereWhenTheEarlierTablesGoAndNoEarlierImageIs() throws {
    try withTemporaryDirectory { folder in
      let (one, two) = ("\(folder)/one", "\(folder)/two")
      let document = try Self.tiny().document()
      _ = try simulate(into: one, options: Self.tiny())
      _ = try simulate(into: two, options: Self.tiny(seed: 2, isLayered: true))
      try withObstacle(at: "\(two)/metadata.csv") {
        let fault = #expect(throws: Fault.self) {
          try simulate(into: two, options: Self.tiny(), replaces: true)
        }
        #expect(fault?.subject == "\(two)/metadata.csv")
        let left = try names(in: two)
        #expect(left == ["metadata.csv", Self.note])
        #expect(bytes(ofFile: "\(two)/\(Self.note)") == Array(document.utf8))
      }
      _ = try simulate(into: two, options: Self.tiny())
      #expect(try contents(of: two) == contents(of: one))
    }
  }

  /// As a kill between the new note and the removal of the tables leaves it.
  @Test func tablesBesideTheNewNoteAreOfNoUse() throws {
    try withTemporaryDirectory { folder in
      let (one, two) = ("\(folder)/one", "\(folder)/two")
      _ = try simulate(into: one, options: Self.tiny())
      _ = try simulate(into: two, options: Self.tiny(seed: 2))
      for name in try names(in: two) where name.hasSuffix(".png") { #expect(unlink("\(two)/\(name)") == 0) }
      try write(Array(try Self.tiny().document().utf8), to: "\(two)/\(Self.note)")
      _ = try simulate(into: two, options: Self.tiny())
      #expect(try contents(of: two) == contents(of: one))
    }
  }

  @Test func onlyFilesOfTheEarlierSimulationsFieldsAndKindAreRemoved() throws {
    try withTemporaryDirectory { folder in
      for isLayered in [false, true] {
        let place = "\(folder)/\(isLayered)"
        _ = try simulate(into: place, options: Self.tiny(isLayered: isLayered))
        // Tables that somebody has added images to.
        let gene = isLayered ? "," : "SIM001,Nucleoli"
        let named = ["control", "P9_A01_s1", "P01_A01_s1", "P1_A13_s1", "../P1_A01_s1"]
        let metadata = Self.fields + named
        try write(
          Array("image,gene,localization\n\(metadata.map { "\($0),\(gene)\n" }.joined())".utf8),
          to: "\(place)/metadata.csv")
        var cells = try #require(bytes(ofFile: "\(place)/cells.csv"))
        for name in named where name != "P9_A01_s1" { cells += Array("\(name),1,1,1,1,1,1\n".utf8) }
        try write(cells, to: "\(place)/cells.csv")
        let kept =
          ["control_mask", "P9_A01_s1_mask", "P01_A01_s1_nucleus", "P1_A13_s1_mask", "../P1_A01_s1_mask"]
          + [isLayered ? "P2_A02_s1_protein" : "P2_A02_s1_golgi-apparatus"]
        for name in kept { try write([1], to: "\(place)/\(name).png") }
        _ = try simulate(into: place, options: Self.tiny(fields: 1), replaces: true)
        for name in kept { #expect(bytes(ofFile: "\(place)/\(name).png") == [1]) }
        let beside = kept.filter { !$0.hasPrefix("../") }
        #expect(try names(in: place) == (Self.oneField + beside.map { "\($0).png" }).sorted())
      }
    }
  }

  @Test func theTableOfCellsTellsWhereTheTableOfFieldsDoesNot() throws {
    let tables: [String?] = [nil, "", "image,gene\n\"P1", "image\nP1_A01_s1\n"]
    try withTemporaryDirectory { folder in
      for isLayered in [false, true] {
        for (number, metadata) in tables.enumerated() {
          let place = "\(folder)/\(isLayered)\(number)"
          _ = try simulate(into: place, options: Self.tiny(isLayered: isLayered))
          #expect(unlink("\(place)/metadata.csv") == 0)
          if let metadata { try write(Array(metadata.utf8), to: "\(place)/metadata.csv") }
          _ = try simulate(into: place, options: Self.tiny(fields: 1), replaces: true)
          #expect(try names(in: place) == Self.oneField)
        }
      }
    }
  }

  @Test func imagesThatNothingTellsOfAreRefusedUnlessTheyAreWrittenOver() throws {
    try withTemporaryDirectory { folder in
      let (whole, header) = ("\(folder)/whole", "\(folder)/header")
      let (cut, note) = ("\(folder)/cut", "\(folder)/note")
      for place in [whole, header, cut] { _ = try simulate(into: place, options: Self.tiny()) }
      // Tables as programs that wrote them first left them when they were killed.
      let columns = SimulationFolder.cellColumns.joined(separator: ",")
      try write(Array("\(columns)\n".utf8), to: "\(header)/cells.csv")
      #expect(unlink("\(header)/metadata.csv") == 0)
      try write(Array("\(columns)\nP1_A01_s1,1\n".utf8), to: "\(cut)/cells.csv")
      interrupt(Self.tiny(), in: note)
      try write(Array("{}".utf8), to: "\(note)/\(Self.note)")
      for place in [header, cut, note] {
        try expectRefusal(of: Self.tiny(fields: 1), in: place)
        _ = try simulate(into: place, options: Self.tiny(), replaces: true)
        #expect(try contents(of: place) == contents(of: whole))
      }
      // Neither sign is there.
      for table in Self.tables { #expect(unlink("\(whole)/\(table)") == 0) }
      try expectRefusal(of: Self.tiny(fields: 1), in: whole)
      for name in try names(in: whole) where !name.hasPrefix("P1_A01") {
        #expect(unlink("\(whole)/\(name)") == 0)
      }
      _ = try simulate(into: whole, options: Self.tiny(fields: 1), replaces: true)
      #expect(try names(in: whole) == Self.oneField)
    }
  }

  @Test func imagesOfBothKindsAreRefusedWhereNoTableTellsOne() throws {
    try withTemporaryDirectory { folder in
      _ = try simulate(into: folder, options: Self.tiny(isLayered: true))
      try write([1], to: "\(folder)/P1_A01_s1_protein.png")
      #expect(unlink("\(folder)/metadata.csv") == 0)
      try expectRefusal(of: Self.tiny(fields: 1), in: folder)
    }
  }

  @Test func aLinkThatLeadsNowhereHasItsName() throws {
    try withTemporaryDirectory { folder in
      let place = "\(folder)/place"
      #expect(mkdir(place, 0o755) == 0)
      for name in ["P2_A02_s1_mask.png", "cells.csv"] {
        let link = "\(place)/\(name)"
        #expect(symlink("nowhere", link) == 0)
        let fault = #expect(throws: Fault.self) { try simulate(into: place, options: Self.tiny()) }
        #expect(fault?.kind == .cannotCreate && fault?.subject == link)
        #expect(try names(in: place) == [name])
        #expect(unlink(link) == 0)
      }
      #expect(symlink("nowhere", "\(place)/\(Self.note)") == 0)
      try expectRefusal(of: Self.tiny(), in: place, replaces: false)
    }
  }

  @Test func namesOfFieldsAreThoseThatPlansHave() {
    var options = Self.tiny(fields: 2000)
    options.fieldsPerGene = 7
    #expect(FieldPlan.all(options).allSatisfy { FieldPlan.isName($0.name[...]) })
    #expect(FieldPlan.all(options).contains { $0.well == "H12" })
    for name in ["P12_H12_s345", "P1_A01_s1"] { #expect(FieldPlan.isName(name[...])) }
    for name in [
      "", "P1_A01", "P1_A01_s1_mask", "P0_A01_s1", "P01_A01_s1", "P+1_A01_s1", "P-1_A01_s1", "P_A01_s1",
      "p1_A01_s1", "P1_A1_s1", "P1_A00_s1", "P1_A13_s1", "P1_I01_s1", "P1_a01_s1", "P1_A+1_s1", "P1_A01_s0",
      "P1_A01_s01", "P1_A01_s", "P1_A01_S1", "P1__A01_s1", "/P1_A01_s1", "P99999999999999999999_A01_s1",
    ] {
      #expect(!FieldPlan.isName(name[...]), "\(name)")
    }
  }
}
