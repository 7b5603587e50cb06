import FoundationEssentials
import Imaging

/// A cell as a reader sees it: all channels together, and each by itself. Data URIs of PNGs.
struct CellPicture: Sendable {
  let roles: [String]
  let composite: String
  /// One for each role, gray.
  let channels: [String]

  init(_ crop: DisplayCrop, colors: ChannelColors) throws {
    let roles = ChannelColors.ordered(crop.roles)
    let planes = roles.compactMap { role in crop.roles.firstIndex(of: role).map { crop.channels[$0] } }
    self.roles = roles
    composite = try dataURI(mix(planes, colors.values(of: roles)), crop.sizePx, channels: 3)
    channels = try planes.map { try dataURI($0, crop.sizePx, channels: 1) }
  }
}

/// Light of all channels in their colours, added up.
/// - Shape: [pixels, 3]
func mix(_ planes: [[UInt8]], _ colors: [UInt32]) -> [UInt8] {
  let count = planes.first?.count ?? 0
  var sums = [Int](repeating: 0, count: count * 3)
  for (plane, color) in zip(planes, colors) {
    let parts = [Int(color >> 16 & 255), Int(color >> 8 & 255), Int(color & 255)]
    for pixel in 0..<count {
      let light = Int(plane[pixel])
      for part in 0..<3 { sums[pixel * 3 + part] += light * parts[part] }
    }
  }
  return sums.map { UInt8(min($0 / 255, 255)) }
}

private func dataURI(_ pixels: [UInt8], _ sizePx: Int, channels: Int) throws -> String {
  let bytes = try encodedPNG(width: sizePx, height: sizePx, channels: channels, pixels: pixels)
  return "data:image/png;base64,\(Data(bytes).base64EncodedString())"
}
