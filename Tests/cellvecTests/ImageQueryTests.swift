import Backbone
import Faults
import Imaging
import Ingest
import Testing

@testable import cellvec

private func recipe(
  _ source: CellSource, roles: [String], strategy: ChannelStrategy = .replicate(.concat)
) -> Recipe {
  Recipe(
    source: source, segmentationRole: "nucleus", crop: CropRecipe(cropSizePx: 8, outputSizePx: 8),
    strategy: strategy, roles: roles)
}

@Suite struct ImageQueryTests {
  @Test func filesAreTakenByRoleInAnyOrder() throws {
    let field = try ImageQuery.fieldOfView(
      of: ["protein=a=b.tif#2", "mask=m.png", "nucleus=n#x.png"],
      recipe: recipe(.masks, roles: ["nucleus", "protein"]))
    #expect(
      field.channels == [
        ChannelSource(role: "nucleus", path: "n#x.png"),
        ChannelSource(role: "protein", path: "a=b.tif", plane: 2),
      ])
    #expect(field.mask == ChannelSource(role: "mask", path: "m.png"))
  }

  @Test func theOnlyChannelNeedsNoRole() throws {
    let field = try ImageQuery.fieldOfView(of: ["q.tif"], recipe: recipe(.whole, roles: ["protein"]))
    #expect(field.channels == [ChannelSource(role: "protein", path: "q.tif")])
  }

  @Test func channelsThatGoToNoInputMayBeLeftOut() throws {
    let recipe = recipe(.masks, roles: ["er", "nucleus", "protein"], strategy: .map(["nucleus", "protein"]))
    let needed = ["nucleus=n", "protein=p", "mask=m"]
    for files in [needed, ["er=e"] + needed] {
      let field = try ImageQuery.fieldOfView(of: files, recipe: recipe)
      #expect(field.channels.map(\.role) == ["nucleus", "protein"])
    }
    let fault = #expect(throws: Fault.self) {
      _ = try ImageQuery.fieldOfView(of: ["er=e", "nucleus=n", "mask=m"], recipe: recipe)
    }
    #expect(
      fault?.description
        == "--image: lacks the file of protein; give nucleus=file protein=file mask=file")
  }

  @Test(arguments: [
    ["nucleus=a"], ["nucleus=a", "protein=b", "er=c"], ["nucleus=a", "nucleus=b"], ["a", "b"],
    ["nucleus=a", "protein=b", "mask=m"],
  ])
  func otherFilesAreFaultsThatSayWhatIsNeeded(files: [String]) {
    let fault = #expect(throws: Fault.self) {
      _ = try ImageQuery.fieldOfView(of: files, recipe: recipe(.whole, roles: ["nucleus", "protein"]))
    }
    #expect(fault?.kind == .usage)
    #expect(fault?.description.contains("nucleus=file protein=file") == true)
  }

  @Test func listsAreCutAtCommas() {
    #expect(names(in: " a, b c ,,d") == ["a", "b c", "d"])
    #expect(names(in: "") == [])
  }
}
