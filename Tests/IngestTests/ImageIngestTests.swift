import Backbone
import Faults
import Formats
import Imaging
import Ingest
import Storage
import TestSupport
import Testing

@Suite struct ImageIngestTests {
  @Test func anImageWithOtherPixelsUnderTheSameNameIsCounted() throws {
    try withTemporaryDirectory { directory in
      let world = try SmallWorld(in: directory, imageNames: ["a", "b"])
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      #expect(try world.run(writer).replaced == 0)
      try SmallWorld.writeImage(directory, "a", seed: 9)
      let summary = try world.run(writer)
      #expect(summary.replaced == 1 && summary.embedded == 1 && summary.unchanged == 1)
    }
  }

  @Test func aFolderBecomesCellsWithVectors() throws {
    try withTemporaryDirectory { directory in
      let world = try SmallWorld(in: directory, imageNames: ["a", "b", "sub_c"])
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let summary = try world.run(writer)
      #expect(summary.embedded == 3 && summary.cells == 9 && summary.failures.isEmpty)
      try writer.database.read { snapshot in
        #expect(snapshot.spaces.map(\.name) == ["tiny-replicate"])
        #expect(snapshot.spaces[0].dimension == 128)
        try #expect(snapshot.rows(in: snapshot.spaces[0]).count == 9)
        let cell = try snapshot.cell(at: 4)
        #expect(cell?.object == .label(2))
        #expect(cell?.values[0] == .string("b"))
        #expect(cell?.geometry?.areaPx == 64)
        #expect(snapshot.check() == [])
      }
    }
  }

  @Test func theSameFolderAgainEmbedsNothing() throws {
    try withTemporaryDirectory { directory in
      let world = try SmallWorld(in: directory, imageNames: ["a", "b"])
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      try world.run(writer)
      let again = try world.run(writer)
      #expect(again.embedded == 0 && again.unchanged == 2 && again.cells == 0)
      try writer.database.read { snapshot in try #expect(snapshot.rowLimit() == 6) }
    }
  }

  @Test func aRunThatWasStoppedContinuesAndEndsEqual() throws {
    try withTemporaryDirectory { directory in
      let world = try SmallWorld(in: directory, imageNames: ["a", "b", "c", "d"])
      let stopped = try DatabaseWriter(path: "\(directory)/stopped", create: true)
      let first = try world.run(stopped, cellsPerCommit: 6, stopAfter: 2)
      #expect(first.wasCancelled && first.embedded == 2)
      let second = try world.run(stopped)
      #expect(second.unchanged == 2 && second.embedded == 2)

      let whole = try DatabaseWriter(path: "\(directory)/whole", create: true)
      try world.run(whole)
      #expect(try allVectors(stopped.database) == allVectors(whole.database))
    }
  }

  @Test func aBrokenImageIsNamedAndTheOthersGoOn() throws {
    try withTemporaryDirectory { directory in
      let world = try SmallWorld(in: directory, imageNames: ["a", "b", "c"])
      try writeText("not a picture", to: "\(directory)/b_protein.png")
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let summary = try world.run(writer)
      #expect(summary.embedded == 2)
      #expect(summary.failures.count == 1)
      #expect(summary.failures.first?.description.contains("b_protein.png") == true)
      try writer.database.read { snapshot in #expect(snapshot.check() == []) }
    }
  }

  @Test func imagesWithEqualPixelsAreOneImage() throws {
    try withTemporaryDirectory { directory in
      let world = try SmallWorld(in: directory, imageNames: ["a", "b"])
      try SmallWorld.writeImage(directory, "copy", seed: 0)
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let summary = try world.run(writer)
      #expect(summary.embedded == 2)
      #expect(summary.duplicates == [DuplicateImage(name: "copy", original: "a")])
    }
  }

  @Test func channelsThatShowNothingAreToldOf() throws {
    try withTemporaryDirectory { directory in
      let world = try SmallWorld(in: directory, imageNames: ["a", "b"])
      let width = 16 * SmallWorld.cellsPerImage
      try writePNG16(
        "\(directory)/b_protein.png", width: width, height: 16,
        pixels: [UInt16](repeating: 100, count: width * 16))
      let summary = try world.run(DatabaseWriter(path: "\(directory)/db", create: true))
      #expect(summary.embedded == 2 && summary.failures == [])
      #expect(summary.blank == [BlankImage(name: "b", roles: ["protein"])])
    }
  }

  @Test func twoRecipesAreTwoSpacesOverTheSameCells() throws {
    try withTemporaryDirectory { directory in
      let world = try SmallWorld(in: directory, imageNames: ["a", "b"])
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      try world.run(writer)
      try world.run(writer, recipe: world.recipe(strategy: .map(["nucleus", "protein"])))
      try writer.database.read { snapshot in
        #expect(snapshot.spaces.map(\.name) == ["tiny-replicate", "tiny-map"])
        #expect(snapshot.spaces.map(\.dimension) == [128, 64])
        try #expect(snapshot.rowLimit() == 6)
        for space in snapshot.spaces { try #expect(snapshot.rows(in: space).count == 6) }
        #expect(snapshot.check() == [])
      }
    }
  }

  @Test func aSpaceNameStandsForOneRecipe() throws {
    try withTemporaryDirectory { directory in
      let world = try SmallWorld(in: directory, imageNames: ["a"])
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let embedder = try world.ingest().embedder
      _ = try writer.space(
        named: "s", recipe: world.recipe(), embedder: embedder, backbone: BackboneReference(path: ""))
      let known = try writer.space(
        named: "s", recipe: world.recipe(), embedder: embedder, backbone: BackboneReference(path: ""))
      #expect(known.id == 0)
      let fault = #expect(throws: Fault.self) {
        try writer.space(
          named: "s", recipe: world.recipe(cropSizePx: 8), embedder: embedder,
          backbone: BackboneReference(path: ""))
      }
      #expect(fault?.problem == "was made with another recipe")
    }
  }

  @Test func int8SharesNoSpaceWithOtherNumbers() throws {
    try withTemporaryDirectory { directory in
      let world = try SmallWorld(in: directory, imageNames: ["a"])
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let plain = world.recipe()
      let recipe = Recipe(
        source: plain.source, segmentationRole: plain.segmentationRole, crop: plain.crop,
        strategy: plain.strategy, roles: plain.roles, isInt8: true)
      #expect(throws: Fault.self) { try recipe.embedder(with: world.backbone) }
      let model = try BundledModel.load(precision: .int8)
      #expect(throws: Fault.self) { try plain.embedder(with: model) }
      let embedders = [try plain.embedder(with: BundledModel.load()), try recipe.embedder(with: model)]
      let spaces = try zip([plain, recipe], embedders).map { recipe, embedder in
        try writer.space(
          named: nil, recipe: recipe, embedder: embedder, backbone: BackboneReference(path: ""))
      }
      #expect(spaces.map(\.id) == [0, 1])
      #expect(spaces[1].precisions == ["int8"])
      let fault = #expect(throws: Fault.self) {
        try writer.space(
          named: spaces[0].name, recipe: recipe, embedder: embedders[1], backbone: BackboneReference(path: "")
        )
      }
      #expect(fault?.problem == "was made with --precision float32 or bfloat16, not int8")
    }
  }

  @Test func aCorrectedMaskIsEmbeddedAgain() throws {
    try withTemporaryDirectory { directory in
      let world = try SmallWorld(in: directory, imageNames: ["a", "b"])
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      #expect(try world.run(writer).remasked == 0)
      #expect(try world.run(writer).unchanged == 2)
      let (width, side) = (16 * SmallWorld.cellsPerImage, 16)
      try writePNG(
        "\(directory)/a_mask.png", width: width, height: side,
        pixels: (0..<width * side).map { $0 % width < 4 ? 9 : 0 })
      let summary = try world.run(writer)
      #expect((summary.embedded, summary.remasked, summary.unchanged) == (1, 1, 1))
      try writer.database.read { snapshot in
        try #expect(snapshot.rows(in: snapshot.spaces[0]).count == 7)
        #expect(snapshot.check() == [])
      }
      #expect(try world.run(writer).unchanged == 2)
    }
  }

  @Test func weightsThatHaveMovedAreFoundAtTheirNewPlace() throws {
    try withTemporaryDirectory { directory in
      let world = try SmallWorld(in: directory, imageNames: ["a"])
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      let embedder = try world.ingest().embedder
      for path in ["old", "new"] {
        _ = try writer.space(
          named: nil, recipe: world.recipe(), embedder: embedder, backbone: BackboneReference(path: path))
      }
      try writer.database.read { snapshot in #expect(snapshot.spaces.map(\.backbonePath) == ["new"]) }
    }
  }

  @Test func aQueryImageIsEmbeddedAsTheSpaceEmbedsIt() throws {
    try withTemporaryDirectory { directory in
      let world = try SmallWorld(in: directory, imageNames: ["a", "b"])
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      try world.run(writer)
      let ingest = try world.ingest()
      let image = try embedQueryImage(
        world.images()[1], recipe: ingest.recipe, embedder: ingest.embedder, threads: 1)
      let stored = try allVectors(writer.database)
      #expect(image.cells.map(\.vector) == Array(stored[3..<6]))
      #expect(image.cells.map(\.cell.name) == ["1", "2", "3"] && image.blankRoles == [])
      let second = try embedQueryImage(
        world.images()[1], recipe: ingest.recipe, embedder: ingest.embedder, object: "2", threads: 1)
      #expect(second.cells.map(\.vector) == [stored[4]] && second.cells.map(\.index) == [1])
      let fault = #expect(throws: Fault.self) {
        try embedQueryImage(
          world.images()[1], recipe: ingest.recipe, embedder: ingest.embedder, object: "4", threads: 1)
      }
      #expect(fault?.description.hasSuffix("object \"4\": does not exist; objects: 1, 2, 3") == true)
    }
  }

  @Test func channelsThatChangeNoVectorAreNotNeeded() throws {
    try withTemporaryDirectory { directory in
      let world = try SmallWorld(in: directory, imageNames: ["a"])
      let image = try world.images()[0]
      let protein = FieldOfView(
        name: image.name, channels: image.channels.filter { $0.role == "protein" }, mask: image.mask)
      for strategy in [ChannelStrategy.map([nil, "protein"]), .reindex(["protein": 1])] {
        let whole = world.recipe(strategy: strategy)
        let part = whole.withoutUnusedChannels
        #expect(part.roles == ["protein"])
        func vectors(_ image: FieldOfView, _ recipe: Recipe) throws -> [[Float]] {
          let embedder = try recipe.embedder(with: world.backbone)
          return try embedQueryImage(image, recipe: recipe, embedder: embedder, threads: 1).cells.map(
            \.vector)
        }
        #expect(try vectors(protein, part) == vectors(image, whole))
      }
    }
  }

  @Test func channelsThatNucleiOrIntensitiesAreFoundInAreNeeded() throws {
    func roles(
      _ source: CellSource, _ normalization: Normalization, _ strategy: ChannelStrategy
    ) -> [String] {
      Recipe(
        source: source, segmentationRole: "nucleus",
        crop: CropRecipe(cropSizePx: 16, outputSizePx: 16, normalization: normalization), strategy: strategy,
        roles: ["protein", "nucleus", "er"]
      ).withoutUnusedChannels.roles
    }
    let (all, map) = (["er", "nucleus", "protein"], ChannelStrategy.map(["protein", nil]))
    #expect(roles(.masks, .selfStandardize, map) == ["protein"])
    #expect(roles(.nuclei(NucleusSegmentation()), .selfStandardize, map) == ["nucleus", "protein"])
    #expect(roles(.masks, .jointMinmax, map) == all)
    for strategy in [ChannelStrategy.average, .replicate(.mean)] {
      #expect(roles(.whole, .selfStandardize, strategy) == all)
    }
  }

  @Test func recipesComeBackFromTheirCanonicalText() throws {
    try withTemporaryDirectory { directory in
      let recipe = try SmallWorld(in: directory, imageNames: []).recipe(strategy: .map(["nucleus", nil]))
      let text = try recipe.canonicalJSON()
      #expect(try Recipe(canonicalJSON: text, space: "s") == recipe)
      #expect(throws: Fault.self) { try Recipe(canonicalJSON: "{}", space: "s") }
    }
  }
}

/// The vectors of the first space in order of rows.
private func allVectors(_ database: Database) throws -> [[Float]] {
  try database.read { snapshot in
    try snapshot.allRows().toArray().map { try snapshot.vector(of: $0, in: snapshot.spaces[0]) ?? [] }
  }
}

func writeText(_ text: String, to path: String) throws {
  var file = try AtomicFile(path: path)
  try file.write(Array(text.utf8))
  try file.commit()
}
