import Backbone
import Imaging
import Ingest
import Storage
import TestSupport
import Testing

@Suite struct ChannelOrderTests {
  @Test(arguments: [ChannelStrategy.replicate(.concat), .map(["nucleus", "protein"])])
  func vectorsDoNotDependOnTheOrderInWhichChannelsAreGiven(strategy: ChannelStrategy) throws {
    try withTemporaryDirectory { directory in
      let world = try SmallWorld(in: directory, imageNames: ["a"])
      let recipe = world.recipe(strategy: strategy)
      let embedder = try Embedder(backbone: world.backbone, strategy: strategy, roles: recipe.roles)
      let vectors = try [false, true].map { isReversed in
        let images = try world.images().map { image in
          FieldOfView(
            name: image.name, channels: isReversed ? image.channels.reversed() : image.channels,
            mask: image.mask)
        }
        let ingest = ImageIngest(
          images: images, recipe: recipe, embedder: embedder, metadata: nil, threads: 1)
        let writer = try DatabaseWriter(path: "\(directory)/\(isReversed)", create: true)
        let space = try writer.space(
          named: nil, recipe: recipe, embedder: embedder, backbone: BackboneReference(path: ""))
        _ = try ingest.run(into: space, of: writer, isCancelled: { false }, progress: { _ in })
        let queried = try embedQueryImage(images[0], recipe: recipe, embedder: embedder, threads: 1)
        let stored = try writer.database.read { try $0.vector(of: 2, in: space) }
        #expect(stored == queried.cells[2].vector)
        return stored
      }
      #expect(vectors[0] == vectors[1])
    }
  }
}
