import Imaging
import Testing

@Suite struct BlankTests {
  private func plane(_ pixels: [Float]) -> Plane {
    Plane(width: pixels.count, height: 1, sampleType: .uint8, pixels: pixels)
  }

  @Test func channelsWhosePixelsAreAllEqualAreBlank() throws {
    let image = try FieldImage(
      name: "i", roles: ["a", "b", "c"], planes: [plane([0, 0, 0]), plane([7, 7, 8]), plane([7, 7, 7])])
    #expect(image.blankRoles == ["a", "c"])
  }

  @Test func nothingIsBlankAndWhatIsNoNumberIsNot() {
    #expect(areBlank([]) && areBlank([1]))
    #expect(!areBlank([.nan, .nan]))
  }
}
