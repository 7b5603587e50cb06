import Faults
import Identity
import TestSupport
import Testing

@testable import Storage

/// A database of images with three cells each, known by their labels, with a gene and a vector of image and label.
private struct MergeWorld {
  let writer: DatabaseWriter
  let path: String
  static let dimension = 3

  init(_ path: String, images: [String], space: String = "s", recipe: String? = "{}", gene: String = "g")
    throws
  {
    self.path = path
    writer = try DatabaseWriter(path: path, create: true)
    try add(images, space: space, recipe: recipe, gene: gene)
  }

  func add(_ images: [String], space name: String = "s", recipe: String? = "{}", gene: String = "g") throws {
    try writer.write { transaction in
      let field = try transaction.field(named: "gene", type: .string)
      let space =
        try transaction.space(named: name)
        ?? transaction.addSpace(
          name: name, dimension: Self.dimension, recipe: recipe, backboneHash: recipe == nil ? nil : "h")
      for image in images {
        let number = try transaction.addImage(Self.image(image))
        let cells = (1...3 as ClosedRange<UInt32>).map {
          CellRecord(image: number, object: .label($0), geometry: nil, values: [field.id: .string(gene)])
        }
        let rows = try transaction.addCells(cells, of: number)
        try (1...3).flatMap { Self.vector(image, label: $0) }.withUnsafeBufferPointer {
          try transaction.setVectors($0, of: rows, in: space)
        }
        try transaction.setOutcome(
          IngestOutcome(found: 3, kept: 3, dropped: [:]), image: number, space: space)
      }
    }
  }

  static func image(_ name: String) -> ImageRecord {
    ImageRecord(identity: ContentHash(of: name), name: name, files: [], width: 5, height: 5)
  }

  static func vector(_ image: String, label: Int) -> [Float] {
    [Float(image.utf8.reduce(0) { $0 * 7 + Int($1) }), Float(label), 1]
  }

  func merge(_ other: MergeWorld, prefersSource: Bool = false) throws -> MergeSummary {
    let summary = try writer.merge(other.writer.database, prefersSource: prefersSource)
    try writer.database.read { #expect($0.check() == []) }
    return summary
  }

  /// What every cell is, in order of rows: image, label, gene, vectors by space.
  func cells() throws -> [String] {
    try writer.database.read { snapshot in
      try snapshot.allRows().toArray().map { row in
        let found = try snapshot.cell(at: row)
        let cell = try #require(found)
        let vectors = try snapshot.spaces.map { space in
          try "\(space.name) \(snapshot.vector(of: row, in: space)?.description ?? "-")"
        }
        let image = try snapshot.image(cell.image)?.name ?? "?"
        return "\(image) \(cell.object) \(cell.values[0]?.description ?? "-") \(vectors)"
      }
    }
  }
}

@Suite struct MergeTests {
  private func withFolder(_ body: (String) throws -> Void) rethrows {
    try withTemporaryDirectory { try body($0) }
  }

  @Test func theMergedDatabaseIsThatOfOneIngest() throws {
    try withFolder { folder in
      let whole = try MergeWorld("\(folder)/whole", images: ["a", "b", "c", "d"])
      let target = try MergeWorld("\(folder)/target", images: ["a", "b"])
      let summary = try target.merge(MergeWorld("\(folder)/one", images: ["b", "c", "d"]))
      #expect(summary.images == 3)
      #expect(summary.newImages == 2)
      #expect(summary.newCells == 6)
      #expect(summary.vectors == 6)
      #expect(summary.conflicts.isEmpty)
      try #expect(target.cells() == whole.cells())
      try target.writer.database.read { snapshot in
        for image in 0..<4 as Range<UInt32> {
          try #expect(snapshot.outcome(image: image, space: snapshot.spaces[0])?.kept == 3)
        }
      }
    }
  }

  /// Also where it is not the target that a database contradicts, but one before it.
  @Test func whatDoesNotFitIsFoundBeforeAnythingIsWritten() throws {
    try withFolder { folder in
      let target = try MergeWorld("\(folder)/target", images: ["a"])
      let (one, two) = try (
        MergeWorld("\(folder)/one", images: ["b"]), MergeWorld("\(folder)/two", images: ["c"])
      )
      try one.writer.write { _ = try $0.field(named: "dose", type: .number) }
      try two.writer.write { _ = try $0.field(named: "dose", type: .string) }
      let (cells, before) = try (target.cells(), target.writer.database.read { $0.fields })
      let fault = #expect(throws: Fault.self) {
        try target.writer.requireFit(of: [one.writer.database, two.writer.database])
      }
      #expect(
        fault?.description
          == "\(folder)/two: field \"dose\": expected a number, as \(folder)/one has it, found a string; "
          + "rename it in one of the databases with cellvec fields rename")
      try target.writer.requireFit(of: [one.writer.database])
      #expect(try target.cells() == cells && target.writer.database.read { $0.fields } == before)
      let own = #expect(throws: Fault.self) {
        try target.writer.requireFit(of: [one.writer.database, target.writer.database])
      }
      #expect(own?.kind == .usage)
    }
  }

  @Test func theSameMergeAgainWritesNothing() throws {
    try withFolder { folder in
      let target = try MergeWorld("\(folder)/target", images: ["a"])
      let source = try MergeWorld("\(folder)/source", images: ["a", "b"], gene: "other")
      _ = try target.merge(source)
      let cells = try target.cells()
      let transaction = try target.writer.database.environment.pages.latest().meta.transaction
      let again = try target.merge(source)
      #expect(again.newCells == 0 && again.vectors == 0 && again.changedCells == 0)
      try #expect(target.cells() == cells)
      try #expect(target.writer.database.environment.pages.latest().meta.transaction == transaction)
    }
  }

  @Test(arguments: [false, true]) func conflictsAreReportedAndDecided(prefersSource: Bool) throws {
    try withFolder { folder in
      let target = try MergeWorld("\(folder)/target", images: ["a", "b"], gene: "old")
      let source = try MergeWorld("\(folder)/source", images: ["b"], gene: "new")
      try source.writer.write { transaction in
        let dose = try transaction.field(named: "dose", type: .number)
        try transaction.setValues([dose.id: .number(2), 0: .string("old")], of: 1)
      }
      let summary = try target.merge(source, prefersSource: prefersSource)
      let conflict = try #require(summary.conflicts["gene"])
      #expect(conflict.cells == 2)
      #expect(
        conflict.examples == [3, 5].map { .init(row: $0, target: .string("old"), source: .string("new")) })
      #expect(summary.changedCells == (prefersSource ? 3 : 1))
      try target.writer.database.read { snapshot in
        try #expect(snapshot.cell(at: 3)?.values[0] == .string(prefersSource ? "new" : "old"))
        try #expect(snapshot.cell(at: 4)?.values == [0: .string("old"), 1: .number(2)])
      }
    }
  }

  /// Swift's strings are equal where their letters are, whatever code points they are of; texts of a database are not.
  @Test func textsOfTheSameLettersInOtherCodePointsAreInConflict() throws {
    try withFolder { folder in
      let target = try MergeWorld("\(folder)/target", images: ["a"], gene: "\u{E9}")
      let source = try MergeWorld("\(folder)/source", images: ["a"], gene: "e\u{301}")
      let summary = try target.merge(source, prefersSource: true)
      #expect(summary.conflicts["gene"]?.cells == 3)
      #expect(summary.changedCells == 3)
      try target.writer.database.read { snapshot in
        try #expect(snapshot.cell(at: 0)?.values[0]?.description.utf8.count == 3)
      }
    }
  }

  @Test func spacesAreMatchedByRecipeAndWeightsAndImportedOnesByName() throws {
    try withFolder { folder in
      let target = try MergeWorld("\(folder)/target", images: ["a"])
      _ = try target.merge(MergeWorld("\(folder)/renamed", images: ["b"], space: "other name"))
      try target.writer.database.read { #expect($0.spaces.map(\.name) == ["s"]) }
      _ = try target.merge(
        MergeWorld("\(folder)/second", images: ["a", "c"], space: "t", recipe: "{\"x\":1}"))
      _ = try target.merge(MergeWorld("\(folder)/imported", images: ["a"], space: "i", recipe: nil))
      _ = try target.merge(MergeWorld("\(folder)/again", images: ["b"], space: "i", recipe: nil))
      try target.writer.database.read { snapshot in
        #expect(snapshot.spaces.map(\.name) == ["s", "t", "i"])
        try #expect(snapshot.spaces.map { try snapshot.rows(in: $0).count } == [6, 6, 6])
        try #expect(snapshot.allRows().count == 9)
        try #expect(snapshot.vector(of: 4, in: snapshot.spaces[2]) == MergeWorld.vector("b", label: 2))
      }
    }
  }

  @Test func anotherSpaceOfTheNameAndAnotherTypeOfAFieldAreRefusedBeforeAnythingIsWritten() throws {
    try withFolder { folder in
      let target = try MergeWorld("\(folder)/target", images: ["a"])
      let before = try target.cells()
      let recipe = try MergeWorld("\(folder)/recipe", images: ["b"], recipe: "{\"x\":1}")
      let typed = try MergeWorld("\(folder)/typed", images: [])
      let gene = try typed.writer.database.read { $0.fields[0] }
      try typed.writer.drop(gene)
      try typed.writer.write { _ = try $0.field(named: "gene", type: .number) }
      for (source, remedy) in [(recipe, "cellvec spaces rename"), (typed, "cellvec fields rename")] {
        let fault = #expect(throws: Fault.self) { try target.merge(source) }
        #expect(fault?.kind == .badData)
        #expect(fault?.remedy.contains(remedy) == true)
      }
      let itself = #expect(throws: Fault.self) { try target.merge(target) }
      #expect(itself?.kind == .usage)
      try #expect(target.cells() == before)
    }
  }

  @Test func aRefusalSaysInWhatTheDatabasesDiffer() throws {
    try withFolder { folder in
      let target = try MergeWorld(
        "\(folder)/target", images: ["a"], recipe: "{\"crop\":{\"sizePx\":64},\"roles\":[\"protein\"]}")
      let source = try MergeWorld(
        "\(folder)/source", images: ["b"], recipe: "{\"crop\":{\"sizePx\":96},\"roles\":[\"protein\"]}")
      for (world, name, dimension) in [(target, "i", 3), (source, "i", 4)] {
        try world.writer.write { _ = try $0.addSpace(name: name, dimension: dimension) }
      }
      let fault = #expect(throws: Fault.self) {
        try target.writer.requireFit(of: [source.writer.database])
      }
      #expect(
        fault?.problem
          == "expected the recipe with crop.sizePx 64, as \(folder)/target has, found crop.sizePx 96")
      #expect(
        fault?.excerpt.hasPrefix(
          "also space \"i\": expected vectors of 3 numbers, as \(folder)/target has, found 4;") == true)
    }
  }

  @Test func otherRecipesNeverLookTheSame() {
    for (recipe, other) in [
      ("{\"a\":1}", "{\"a\":1.0}"), ("{}", "{\"a\":{}}"), ("{\"a\":\"\"}", "{}"),
      ("{\"a\":\"\"}", "{\"a\":[]}"),
      ("no JSON", "[1]"), ("{\"a\":null}", "{\"a\":\"null\"}"),
    ] {
      let (own, others) = RecipeDifference.between(recipe, and: other)
      #expect(own != others, "\(recipe) and \(other)")
      for text in own + others { #expect(!text.isEmpty && !text.hasSuffix(" ")) }
    }
  }

  @Test func aMergeThatFailsBeforeItsFirstCellsLeavesNoNewDatabase() throws {
    try withFolder { folder in
      let source = try MergeWorld("\(folder)/source", images: ["a"])
      // A cell without a record.
      try source.writer.write { try $0.transaction.delete(.cells, Key().appending(Row(1))) }
      do {
        let target = try DatabaseWriter(path: "\(folder)/target", create: true)
        let fault = #expect(throws: Fault.self) { try target.merge(source.writer.database) }
        #expect(fault?.kind == .badData)
      }
      #expect(!Database.exists(at: "\(folder)/target"))
      let target = try MergeWorld("\(folder)/target", images: ["b"])
      #expect(throws: Fault.self) { try target.merge(source) }
      #expect(Database.exists(at: target.path))
    }
  }

  @Test func headsComeAlongUnlessTheNameIsTaken() throws {
    try withFolder { folder in
      let target = try MergeWorld("\(folder)/target", images: ["a"], space: "first", recipe: "{\"x\":1}")
      let source = try MergeWorld("\(folder)/source", images: ["a"])
      for (world, name) in [(target, "h"), (source, "h"), (source, "k")] {
        try world.writer.write {
          try $0.saveHead(
            HeadRecord(name: name, space: 0, summary: "{\"of\":\"\(world.path)\"}", weights: [1]))
        }
      }
      let summary = try target.merge(source)
      #expect(summary.newHeads == 1)
      #expect(summary.otherHeads == ["h"])
      try target.writer.database.read { snapshot in
        try #expect(snapshot.head(named: "k")?.space == snapshot.space(named: "s")?.id)
        try #expect(snapshot.head(named: "h")?.summary.contains("target") == true)
      }
    }
  }

  @Test func namesThatAreNotGivenAnyMoreComeAlong() throws {
    try withFolder { folder in
      let (space, head) = ("old\u{1B}[31m\nspace", "old\u{2028}head")
      let source = try MergeWorld("\(folder)/source", images: ["a"], space: space)
      try source.writer.write {
        try $0.saveHead(HeadRecord(name: head, space: 0, summary: "{}", weights: [1]))
      }
      let target = try MergeWorld("\(folder)/target", images: ["b"], recipe: nil)
      let summary = try target.merge(source)
      #expect(summary.newHeads == 1)
      try target.writer.database.read { snapshot in
        #expect(snapshot.spaces.map(\.name) == ["s", space])
        try #expect(snapshot.head(named: head)?.space == snapshot.space(named: space)?.id)
      }
    }
  }

  @Test func anImageOfManyTransactionsIsCompletedAfterAnEarlyEnd() throws {
    try withFolder { folder in
      let count = DatabaseWriter.cellsMergedPerCommit * 2 + 7
      let source = try OperationsWorld(
        at: "\(folder)/source", images: 1, cellsPerImage: count, spaces: [])
      try source.writer.write { transaction in
        let space = try transaction.addSpace(name: "x", dimension: 2)
        try (0..<count * 2).map { Float($0) }.withUnsafeBufferPointer {
          try transaction.setVectors($0, of: Array(0..<Row(count)), in: space)
        }
        try transaction.setOutcome(
          IngestOutcome(found: count, kept: count, dropped: [:]), image: 0, space: space)
      }
      let target = try DatabaseWriter(path: "\(folder)/target", create: true)
      #expect(throws: Fault.self) {
        try target.merge(source.writer.database) { _ in throw Fault(.cancelled, "", "stop") }
      }
      try target.database.read { snapshot in
        #expect(snapshot.check() == [])
        try #expect(snapshot.allRows().count == DatabaseWriter.cellsMergedPerCommit)
        try #expect(snapshot.outcome(image: 0, space: snapshot.spaces[0]) == nil)
      }
      let summary = try target.merge(source.writer.database)
      #expect(summary.newCells == count - DatabaseWriter.cellsMergedPerCommit)
      try target.database.read { snapshot in
        #expect(snapshot.check() == [])
        #expect(snapshot.imageCount() == 1)
        let last = Row(count - 1)
        try #expect(
          snapshot.vector(of: last, in: snapshot.spaces[0]) == [Float(last) * 2, Float(last) * 2 + 1])
        try #expect(snapshot.outcome(image: 0, space: snapshot.spaces[0])?.kept == count)
      }
    }
  }

  @Test func deletedCellsComeBackFromASourceThatHasThemAndAreNotTakenFromOneThatHasNot() throws {
    try withFolder { folder in
      let target = try MergeWorld("\(folder)/target", images: ["a"])
      let source = try MergeWorld("\(folder)/source", images: ["a", "b"])
      try source.writer.write { _ = try $0.deleteCells(RowSet([4])) }
      try target.writer.write { _ = try $0.deleteCells(RowSet([1])) }
      let summary = try target.merge(source)
      #expect(summary.newCells == 3)
      try target.writer.database.read { snapshot in
        try #expect(snapshot.allRows().toArray() == [0, 2, 3, 4, 5])
        try #expect(snapshot.cell(at: 3)?.object == .label(2))
      }
    }
  }
}
