/// A colour, and what it is for: a page in dark colours gives those with a role another value by its style sheet.
package struct Paint: Sendable, Equatable {
  /// "#rrggbb".
  package let value: String
  /// The class that a style sheet knows it by; nil for colours that mean the same on any ground.
  package let role: String?

  package init(_ value: String, role: String? = nil) {
    self.value = value
    self.role = role
  }

  package static let ink = Paint("#1f2328", role: "ink")
  package static let muted = Paint("#59636e", role: "muted")
  package static let axis = Paint("#8c959f", role: "axis")
  package static let grid = Paint("#e4e8ec", role: "grid")
  package static let paper = Paint("#ffffff", role: "paper")
  package static let faint = Paint("#c8d0d8", role: "faint")
}

/// Colours that stay apart for readers with any of the common deficiencies of colour vision.
package enum Palette {
  /// For series: of Okabe and Ito (2008), those that show on white and on black. Beyond them dashes tell series apart.
  package static let series: [Paint] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f",
  ].map { Paint($0) }

  package static func series(_ index: Int) -> Paint { series[index % series.count] }

  /// Dashes of a line, which change when colours repeat; nil for a whole line.
  package static func dash(_ index: Int) -> String? {
    [nil, "6 3", "2 2", "8 3 2 3"][index / series.count % 4]
  }

  /// A shade from white through blue to near black, even in lightness.
  /// - Parameter fraction: 0 to 1.
  package static func sequential(_ fraction: Double) -> Paint {
    let stops: [(Double, Double, Double)] = [
      (247, 250, 253), (210, 227, 243), (158, 202, 225), (97, 163, 209), (45, 117, 180), (15, 78, 139),
      (8, 40, 84),
    ]
    let place = min(max(fraction, 0), 1) * Double(stops.count - 1)
    let index = min(Int(place), stops.count - 2)
    let part = place - Double(index)
    let (low, high) = (stops[index], stops[index + 1])
    return Paint(
      hex(
        low.0 + part * (high.0 - low.0), low.1 + part * (high.1 - low.1), low.2 + part * (high.2 - low.2)))
  }

  /// What is read best on `sequential(fraction)`.
  static func textOn(_ fraction: Double) -> Paint { Paint(fraction > 0.52 ? "#ffffff" : "#1f2328") }

  private static func hex(_ red: Double, _ green: Double, _ blue: Double) -> String {
    "#"
      + [red, green, blue].map {
        let text = String(UInt8(min(max($0.rounded(), 0), 255)), radix: 16)
        return text.count == 1 ? "0" + text : text
      }.joined()
  }
}
