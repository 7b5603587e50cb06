import Crsvg
import Faults
import Imaging
import Plots

/// Figures as pixels, drawn by librsvg where it is installed.
enum FigurePixels {
  /// Pixels of a picture for each of the figure's: fine enough for print at half the figure's size.
  private static let largestScale = 2.0
  /// librsvg draws no side beyond 32,767 pixels.
  private static let largestSidePx = 32_000.0
  /// The picture takes seven bytes a pixel of memory while it is drawn.
  private static let largestAreaPx = 100e6

  /// Pixels of the picture, at most so many that it can be drawn.
  static func size(width: Double, height: Double) -> (width: Int, height: Int) {
    let scale = min(
      largestScale, largestSidePx / max(width, height), (largestAreaPx / (width * height)).squareRoot())
    return (Int((width * scale).rounded()), Int((height * scale).rounded()))
  }

  /// - Throws: `unavailable` where the library is missing. To be called before any drawing, from one thread.
  static func load() throws {
    guard let reason = crsvg_load() else { return }
    throw Fault(
      .unavailable, String(cString: crsvg_name()),
      "cannot be loaded, so figures are not written as PNG: \(String(cString: reason))",
      remedy: "install it with apt-get install librsvg2-2 fonts-dejavu-core, or use the SVG files")
  }

  /// The bytes of a PNG of a figure on white.
  /// - Throws: `unavailable` for a figure that librsvg does not draw, `inputOutput` where temporary files have no room.
  static func png(of figure: Figure) throws -> [UInt8] {
    let (width, height) = size(width: figure.width, height: figure.fileHeight)
    var pixels = [UInt8](repeating: 255, count: width * height * 3)
    let text = Array(figure.file.utf8)
    let status = text.withUnsafeBytes { bytes in
      crsvg_draw(
        bytes.bindMemory(to: CChar.self).baseAddress, text.count, Int32(width), Int32(height), &pixels)
    }
    guard status == 0 else {
      throw Fault(
        .unavailable, "\(figure.id).png", "cannot be drawn from its SVG", remedy: "use the SVG file")
    }
    return try encodedPNG(width: width, height: height, channels: 3, pixels: pixels)
  }
}
