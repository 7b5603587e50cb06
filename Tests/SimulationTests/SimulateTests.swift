import Faults
import Formats
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Simulation

@Suite struct SimulateTests {
  private static func tiny(seed: UInt64 = 1, threads: Int = 1) -> SimulationOptions {
    var options = SimulationOptions()
    options.fieldCount = 4
    options.fieldsPerGene = 2
    options.cellsPerField = 2
    options.sizePx = 48
    options.seed = seed
    options.threadCount = threads
    return options
  }

  private static let fields = ["P1_A01_s1", "P2_A01_s1", "P1_A02_s1", "P2_A02_s1"]

  private static func images(in folder: String) -> [[UInt8]?] {
    fields.flatMap { field in
      ["nucleus", "protein", "mask"].map { bytes(ofFile: "\(folder)/\(field)_\($0).png") }
    }
  }

  @Test func sameSeedWritesTheSameBytesOnAnyNumberOfThreads() throws {
    try withTemporaryDirectory { folder in
      let one = try simulate(into: "\(folder)/one", options: Self.tiny())
      let three = try simulate(into: "\(folder)/three", options: Self.tiny(threads: 3))
      #expect(one == three)
      let images = Self.images(in: "\(folder)/one")
      #expect(images.allSatisfy { $0 != nil })
      #expect(images == Self.images(in: "\(folder)/three"))
      for table in ["metadata.csv", "cells.csv"] {
        #expect(bytes(ofFile: "\(folder)/one/\(table)") == bytes(ofFile: "\(folder)/three/\(table)"))
      }
    }
  }

  @Test func anotherSeedWritesOtherImages() throws {
    try withTemporaryDirectory { folder in
      _ = try simulate(into: "\(folder)/one", options: Self.tiny(seed: 1))
      _ = try simulate(into: "\(folder)/two", options: Self.tiny(seed: 2))
      for (one, two) in zip(Self.images(in: "\(folder)/one"), Self.images(in: "\(folder)/two")) {
        #expect(one != two)
      }
    }
  }

  @Test func metadataNamesEachFieldsGeneLabelsAndPlace() throws {
    try withTemporaryDirectory { folder in
      let summary = try simulate(into: folder, options: Self.tiny())
      let table = try CSVTable(path: "\(folder)/metadata.csv")
      #expect(table.columns == ["image", "gene", "localization", "plate", "well", "site", "cell_line"])
      #expect(
        table.rows == [
          ["P1_A01_s1", "SIM001", "Nucleoplasm", "P1", "A01", "1", "SIM-flat"],
          ["P2_A01_s1", "SIM001", "Nucleoplasm", "P2", "A01", "1", "SIM-round"],
          ["P1_A02_s1", "SIM002", "Nucleoli", "P1", "A02", "1", "SIM-flat"],
          ["P2_A02_s1", "SIM002", "Nucleoli", "P2", "A02", "1", "SIM-round"],
        ])
      #expect(summary.fieldCount == 4)
      #expect(summary.geneCount == 2)
      #expect(try CSVTable(path: "\(folder)/cells.csv").rows.count == summary.cellCount)
    }
  }

  @Test func layeredFieldsShowEveryLocationOfTheSameCells() throws {
    try withTemporaryDirectory { folder in
      var options = Self.tiny()
      options.isLayered = true
      _ = try simulate(into: folder, options: options)
      for suffix in ["nucleus", "nucleoplasm", "golgi-apparatus", "vesicles", "mask"] {
        #expect(bytes(ofFile: "\(folder)/P1_A01_s1_\(suffix).png") != nil)
      }
      #expect(bytes(ofFile: "\(folder)/P1_A01_s1_protein.png") == nil)
      #expect(try CSVTable(path: "\(folder)/metadata.csv").rows.allSatisfy { $0[1] == "" && $0[2] == "" })
    }
  }

  @Test func progressCountsEveryFieldOnce() throws {
    try withTemporaryDirectory { folder in
      let counts = Mutex<[Int]>([])
      _ = try simulate(
        into: folder, options: Self.tiny(threads: 2),
        progress: { count in counts.withLock { $0.append(count) } })
      #expect(counts.withLock { $0 } == [1, 2, 3, 4])
    }
  }

  /// The names of a folder's files in order.
  private func names(in folder: String) throws -> [String] {
    let stream = try #require(opendir(folder))
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  private static func tiny(altered alter: (inout SimulationOptions) -> Void) -> SimulationOptions {
    var options = tiny()
    alter(&options)
    return options
  }

  @Test(arguments: [
    (tiny { $0.fieldCount = 0 }, "fields"), (tiny { $0.fieldsPerGene = -1 }, "fields per gene"),
    (tiny { $0.cellsPerField = 0 }, "cells per field"), (tiny { $0.cellsPerField = 1000 }, "cells per field"),
    (tiny { $0.sizePx = 8 }, "field size"), (tiny { $0.sizePx = 1 << 40 }, "field size"),
    (tiny { $0.threadCount = 0 }, "threads"), (tiny { $0.sizePx = 4096 }, "cells per field"),
  ])
  func optionOutOfRangeIsAUsageFaultThatNamesIt(options: SimulationOptions, name: String) {
    let fault = #expect(throws: Fault.self) { try options.validate() }
    #expect(fault?.kind == .usage)
    #expect(fault?.subject == name)
  }

  @Test func folderThatCannotBeMadeIsAFaultThatNamesIt() throws {
    withTemporaryDirectory { folder in
      let inside = "\(folder)/missing/deeper"
      let fault = #expect(throws: Fault.self) { try simulate(into: inside, options: Self.tiny()) }
      #expect(fault?.subject == inside && fault?.kind == .cannotCreate)
    }
  }

  @Test func fileInPlaceOfTheFolderIsAFault() throws {
    try withTemporaryDirectory { folder in
      _ = try simulate(into: folder, options: Self.tiny())
      let file = "\(folder)/metadata.csv"
      let fault = #expect(throws: Fault.self) { try simulate(into: file, options: Self.tiny()) }
      #expect(fault?.kind == .cannotCreate)
      #expect(fault?.subject == file)
    }
  }

  @Test func filesThatNoSimulationHasWrittenAreKeptUnlessTheyAreToBeReplaced() throws {
    try withTemporaryDirectory { folder in
      let image = "\(folder)/P2_A02_s1_mask.png"
      try write([1], to: image)
      let fault = #expect(throws: Fault.self) { try simulate(into: folder, options: Self.tiny()) }
      #expect(fault?.kind == .cannotCreate && fault?.subject == image)
      #expect(bytes(ofFile: image) == [1] && Self.images(in: folder).compactMap(\.self).count == 1)
      var layered = Self.tiny()
      layered.isLayered = true
      #expect(throws: Fault.self) { try simulate(into: folder, options: layered) }
      _ = try simulate(into: folder, options: Self.tiny(), replaces: true)
      #expect(bytes(ofFile: image) != [1])
      try write(Array("image,cell,gene\n".utf8), to: "\(folder)/cells.csv")
      #expect(throws: Fault.self) { try simulate(into: folder, options: Self.tiny()) }
    }
  }

  @Test func anEarlierSimulationIsReplacedAsAWholeAndOnlyOnRequest() throws {
    try withTemporaryDirectory { folder in
      var layered = Self.tiny()
      layered.isLayered = true
      _ = try simulate(into: folder, options: layered)
      try write([1], to: "\(folder)/P1_A01_s1_other.png")
      let earlier = try names(in: folder)
      let fault = #expect(throws: Fault.self) { try simulate(into: folder, options: layered) }
      #expect(fault?.kind == .cannotCreate && fault?.subject == folder)
      #expect(try names(in: folder) == earlier)
      var fewer = Self.tiny(seed: 2)
      fewer.fieldCount = 1
      _ = try simulate(into: folder, options: fewer, replaces: true)
      let images = ["mask", "nucleus", "other", "protein"].map { "P1_A01_s1_\($0).png" }
      #expect(try names(in: folder) == images + ["cells.csv", "metadata.csv"])
      #expect(bytes(ofFile: "\(folder)/P1_A01_s1_other.png") == [1])
    }
  }

  @Test func aTableThatNamesFilesElsewhereRemovesNone() throws {
    try withTemporaryDirectory { folder in
      _ = try simulate(into: "\(folder)/plate", options: Self.tiny())
      try write([1], to: "\(folder)/x_mask.png")
      try write(Array("image\n../x\n".utf8), to: "\(folder)/plate/metadata.csv")
      _ = try simulate(into: "\(folder)/plate", options: Self.tiny(), replaces: true)
      #expect(bytes(ofFile: "\(folder)/x_mask.png") == [1])
    }
  }

  @Test func anInterruptionNamesTheFieldsThatAreComplete() throws {
    try withTemporaryDirectory { folder in
      let (whole, part) = ("\(folder)/whole", "\(folder)/part")
      _ = try simulate(into: whole, options: Self.tiny())
      let done = Atomic(0)
      let fault = #expect(throws: Fault.self) {
        try simulate(
          into: part, options: Self.tiny(), isCancelled: { done.load(ordering: .relaxed) == 2 },
          progress: { done.store($0, ordering: .relaxed) })
      }
      #expect(fault?.kind == .cancelled)
      #expect(
        fault?.problem
          == "interrupted: the images of 2 of 4 fields are complete, P1_A01_s1 to P2_A01_s1; the tables are missing"
      )
      let left = try names(in: part)
      #expect(left.count == 7 && left.last == "unfinished-simulation")
      for name in left.dropLast() {
        #expect(bytes(ofFile: "\(part)/\(name)") == bytes(ofFile: "\(whole)/\(name)"))
      }
      // Other options would mix with what is there.
      let other = #expect(throws: Fault.self) { try simulate(into: part, options: Self.tiny(seed: 2)) }
      #expect(other?.kind == .cannotCreate && other?.subject == part)
      _ = try simulate(into: part, options: Self.tiny(threads: 2))
      #expect(try names(in: part) == names(in: whole))
      #expect(Self.images(in: part) == Self.images(in: whole))
    }
  }

  @Test func whatEndedEarlyIsDoneAgainByTheSameCommand() throws {
    try withTemporaryDirectory { folder in
      let (whole, part) = ("\(folder)/whole", "\(folder)/part")
      _ = try simulate(into: whole, options: Self.tiny())
      // A folder in the place of the last image.
      let obstacle = "\(part)/P2_A02_s1_mask.png"
      #expect(mkdir(part, 0o755) == 0 && mkdir(obstacle, 0o755) == 0)
      #expect(throws: Fault.self) { try simulate(into: part, options: Self.tiny(), replaces: true) }
      #expect(bytes(ofFile: "\(part)/P1_A01_s1_nucleus.png") != nil)
      #expect(bytes(ofFile: "\(part)/metadata.csv") == nil)
      #expect(rmdir(obstacle) == 0)
      _ = try simulate(into: part, options: Self.tiny())
      #expect(Self.images(in: part) == Self.images(in: whole))
      for table in ["metadata.csv", "cells.csv"] {
        #expect(bytes(ofFile: "\(part)/\(table)") == bytes(ofFile: "\(whole)/\(table)"))
      }
    }
  }

  @Test func theNamesOfChannelsAreThoseThatAreWritten() {
    for isLayered in [false, true] {
      let options = Self.tiny { $0.isLayered = isLayered }
      let field = SimulatedField(
        gene: SimulatedGene(number: 0, seed: 1), line: CellLine.all[0], number: 0, options: options)
      #expect(field.channels.map(\.name) == SimulatedField.channelNames(isLayered: isLayered))
    }
  }
}
