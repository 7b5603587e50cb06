import Imaging
import TestSupport
import Testing

import struct Foundation.Data
import struct Foundation.URL

@Suite struct DisplayCropTests {
  /// A ramp to the right, and a channel in which nothing is but noise of one level.
  private func image() throws -> FieldImage {
    let (width, height) = (40, 30)
    let ramp = (0..<width * height).map { Float($0 % width * 100) }
    let dark = (0..<width * height).map { $0 == 0 ? Float(60000) : Float(100 + $0 % 2) }
    return try FieldImage(
      name: "field", roles: ["protein", "er"],
      planes: [ramp, dark].map { Plane(width: width, height: height, sampleType: .uint16, pixels: $0) })
  }

  @Test func shadesRunFromTheImagesBlackToTheSquaresWhite() throws {
    let crop = DisplayCutter(try image()).cut(centerX: 20, centerY: 15, cropSizePx: 10, limitPx: 256)
    #expect(crop.sizePx == 10 && crop.roles == ["protein", "er"])
    // Columns 15 to 24; black is column 0, white column 24.
    #expect(crop.channels[0].prefix(10) == [159, 170, 181, 191, 202, 213, 223, 234, 244, 255])
  }

  @Test func noiseStaysDark() throws {
    let (width, height) = (40, 30)
    let bright = (0..<width * height).map { Float($0 % width < 4 ? 5000 : 100 + $0 % 7) }
    let image = try FieldImage(
      name: "field", roles: ["er"],
      planes: [Plane(width: width, height: height, sampleType: .uint16, pixels: bright)])
    let crop = DisplayCutter(image).cut(centerX: 25, centerY: 15, cropSizePx: 10, limitPx: 256)
    #expect(crop.channels[0].allSatisfy { $0 <= 2 })
  }

  @Test func flatChannelsAreBlackAndSoIsWhatLiesOutside() throws {
    let flat = try FieldImage(
      name: "flat", roles: ["er"],
      planes: [Plane(width: 8, height: 8, sampleType: .uint8, pixels: [Float](repeating: 7, count: 64))])
    let crop = DisplayCutter(flat).cut(centerX: 4, centerY: 4, cropSizePx: nil, limitPx: 256)
    #expect(crop.sizePx == 8 && crop.channels[0].allSatisfy { $0 == 0 })
    let edge = DisplayCutter(try image()).cut(centerX: 39, centerY: 15, cropSizePx: 10, limitPx: 256)
    #expect(edge.channels[0][9] == 0 && edge.channels[0][5] == 255)
  }

  @Test func theWholeRangeOfFloat32IsShown() throws {
    let (width, height) = (40, 30)
    let pixels = (0..<width * height).map { Float($0 % 3 == 0 ? -3.3e38 : $0 % 3 == 1 ? 0 : 3.3e38) }
    let image = try FieldImage(
      name: "field", roles: ["er"],
      planes: [Plane(width: width, height: height, sampleType: .float32, pixels: pixels)])
    let cutter = DisplayCutter(image)
    let crop = cutter.cut(centerX: 20, centerY: 15, cropSizePx: 9, limitPx: 256)
    #expect(Set(crop.channels[0]) == [0, 128, 255])
    #expect(cutter.cut(centerX: 20, centerY: 15, cropSizePx: nil, limitPx: 7).channels[0].count == 49)
  }

  @Test func largeSquaresAreMadeSmaller() throws {
    let crop = DisplayCutter(try image()).cut(centerX: 20, centerY: 15, cropSizePx: nil, limitPx: 16)
    #expect(crop.sizePx == 16 && crop.channels[0].count == 256)
  }

  @Test func encodedPNGsAreReadAsTheyWere() throws {
    let pixels = (0..<60).map { UInt8($0 * 4) }
    try withTemporaryDirectory { folder in
      for (channels, width) in [(1, 12), (3, 4)] {
        let bytes = try encodedPNG(width: width, height: 5, channels: channels, pixels: pixels)
        let path = "\(folder)/\(channels).png"
        try Data(bytes).write(to: URL(filePath: path))
        let plane = try ImageFile.plane(0, at: path)
        #expect(plane.pixels == stride(from: 0, to: 60, by: channels).map { Float(pixels[$0]) })
      }
    }
  }
}
