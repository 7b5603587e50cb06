import Crsvg
import Faults
import Formats
import Imaging
import Plots

/// Figures as pixels, drawn by librsvg where it is installed.
enum FigurePixels {
  /// Pixels of a picture for each of the figure's: fine enough for print at half the figure's size.
  private static let scale = 2.0

  /// - Throws: `unavailable` where the library is missing. To be called before any drawing, from one thread.
  static func load() throws {
    guard let reason = crsvg_load() else { return }
    throw Fault(
      .unavailable, String(cString: crsvg_name()),
      "cannot be loaded, so figures are not written as PNG: \(String(cString: reason))",
      remedy: "install it with apt-get install librsvg2-2 fonts-dejavu-core, or use the SVG files")
  }

  /// Writes a figure as a PNG on white, in place of whatever was there.
  static func write(_ figure: Figure, to path: String) throws {
    let width = Int((figure.width * scale).rounded())
    let height = Int((figure.fileHeight * scale).rounded())
    var pixels = [UInt8](repeating: 255, count: width * height * 3)
    let text = Array(figure.file.utf8)
    let status = text.withUnsafeBytes { bytes in
      crsvg_draw(
        bytes.bindMemory(to: CChar.self).baseAddress, text.count, Int32(width), Int32(height), &pixels)
    }
    guard status == 0 else {
      throw Fault(.inputOutput, path, "cannot be drawn from its SVG", remedy: "use the SVG file")
    }
    try writePNG(path, width: width, height: height, channels: 3, pixels: pixels)
  }
}
