import Imaging
import Ingest
import Storage
import TestSupport
import Testing

@Suite struct OtherChannelsTests {
  @Test func imagesOfTheSameNamesWithOtherChannelsAreFound() throws {
    try withTemporaryDirectory { directory in
      let world = try SmallWorld(in: directory, imageNames: ["a", "b"])
      let path = "\(directory)/db"
      let names = try world.images().map(\.name)
      #expect(try OtherChannels(than: ["protein"], in: path, among: names) == nil)
      let writer = try DatabaseWriter(path: path, create: true)
      let metadata = try ImageMetadata(
        table: nil, join: nil, namePattern: nil, types: [:], images: world.images(), existing: [])
      try world.run(writer, metadata: metadata)
      #expect(try OtherChannels(than: ["nucleus", "protein"], in: path, among: names) == nil)
      #expect(try OtherChannels(than: ["protein"], in: path, among: ["c"]) == nil)
      let others = try #require(try OtherChannels(than: ["protein"], in: path, among: names + ["c"]))
      #expect(others.imageCount == 2 && others.roles == ["nucleus", "protein"])
    }
  }
}
