import Plots

/// The colour of each channel in pictures of several.
package enum ChannelColors: String, Sendable, CaseIterable {
  /// Those of the Human Protein Atlas: nucleus blue, protein green, microtubules red, endoplasmic reticulum yellow.
  case hpa
  /// Nucleus cyan and protein magenta, which readers who do not tell red from green tell apart.
  case accessible

  /// Light enough to be seen on black, which pure blue is not.
  private var known: [String: UInt32] {
    switch self {
    case .hpa: ["nucleus": 0x2f7bff, "protein": 0x22e045, "microtubules": 0xff3b30, "er": 0xffd60a]
    case .accessible: ["nucleus": 0x18b7e8, "protein": 0xff4fd8, "microtubules": 0xffb000, "er": 0xb9c4d0]
    }
  }

  private static let others: [UInt32] = [0xff4fd8, 0xff9f0a, 0x18b7e8, 0xd0d0d0]

  /// Whose colours the endoplasmic reticulum takes where these are not shown: its own shares light with the protein's, in
  /// which it would vanish.
  private var lenders: [String] {
    switch self {
    case .hpa: ["microtubules"]
    case .accessible: ["nucleus", "microtubules"]
    }
  }

  /// The colours of channels with these roles, 0xRRGGBB; a channel alone is white.
  func values(of roles: [String]) -> [UInt32] {
    if roles.count == 1 { return [0xffffff] }
    var known = known
    if roles.contains("protein"), let lender = lenders.first(where: { !roles.contains($0) }) {
      known["er"] = known[lender]
    }
    var free = Self.others.filter { value in !roles.contains { known[$0] == value } }
    return roles.map { role in
      if let value = known[role] { return value }
      return free.isEmpty ? 0xd0d0d0 : free.removeFirst()
    }
  }

  func paints(of roles: [String]) -> [Paint] {
    values(of: roles).map { value in
      let digits = String(value, radix: 16)
      return Paint("#" + String(repeating: "0", count: 6 - digits.count) + digits)
    }
  }

  /// The order in which channels are shown: those that everybody looks for first.
  static func ordered(_ roles: [String]) -> [String] {
    let first = ["protein", "nucleus", "microtubules", "er"]
    return roles.sorted {
      (first.firstIndex(of: $0) ?? first.count, $0) < (first.firstIndex(of: $1) ?? first.count, $1)
    }
  }
}
