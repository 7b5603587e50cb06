/// How wide text is, before anything draws it.
///
/// The widths are those of DejaVu Sans, the widest of the fonts that `Figure` asks for: text that fits by them fits
/// in every font of the list.
package enum TextMetrics {
  /// Advance widths of U+0020 to U+007E, thousandths of the size.
  private static let regular: [Double] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636,
    636, 636,
    636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656,
    557, 863,
    748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500, 500, 613, 635,
    550, 635,
    615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592,
    525, 636,
    337, 636, 838,
  ]
  private static let boldness = 1.1
  private static let otherLetter = 680.0
  /// Of letters of East Asia, and pictures.
  private static let wideLetter = 1000.0

  /// - Units: pixels, as `size`.
  package static func width(of text: String, size: Double, isBold: Bool = false) -> Double {
    var sum = 0.0
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x20...0x7E: sum += regular[Int(scalar.value) - 0x20]
      case 0x300...0x36F, 0x200B...0x200F: break
      case 0x2009: sum += 200
      case 0x1100...: sum += scalar.value < 0x2E80 && scalar.value >= 0x1200 ? otherLetter : wideLetter
      default: sum += otherLetter
      }
    }
    return sum / 1000 * size * (isBold ? boldness : 1)
  }

  /// The text, or as much of its beginning as fits before an ellipsis.
  package static func fitted(_ text: String, to width: Double, size: Double, isBold: Bool = false) -> String {
    if self.width(of: text, size: size, isBold: isBold) <= width { return text }
    var rest = text
    while !rest.isEmpty, self.width(of: rest + "…", size: size, isBold: isBold) > width { rest.removeLast() }
    return rest + "…"
  }

  /// The text on at most `lines` lines, broken behind spaces, underscores, hyphens and slashes where that helps.
  package static func wrapped(
    _ text: String, to width: Double, size: Double, lines: Int, isBold: Bool = false
  ) -> [String] {
    var result: [String] = []
    var line = ""
    var pieces = pieces(of: text)[...]
    while let piece = pieces.first {
      let longer = line + piece
      let fits = self.width(of: trimmed(longer), size: size, isBold: isBold) <= width
      if fits || line.isEmpty {
        line = longer
        pieces.removeFirst()
      } else if result.count + 1 < lines {
        result.append(trimmed(line))
        line = ""
      } else {
        line += pieces.joined()
        break
      }
    }
    result.append(trimmed(line))
    return result.map { fitted($0, to: width, size: size, isBold: isBold) }
  }

  private static func pieces(of text: String) -> [String] {
    var pieces = [""]
    for character in text {
      pieces[pieces.count - 1].append(character)
      if " _-/,;".contains(character) { pieces.append("") }
    }
    return pieces.filter { !$0.isEmpty }
  }

  private static func trimmed(_ line: String) -> String {
    var line = line[...]
    while line.last == " " { line.removeLast() }
    while line.first == " " { line.removeFirst() }
    return String(line)
  }
}
