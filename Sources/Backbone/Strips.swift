/// Rows cut into strips of equal size up to one, shared out among the members of a team.
struct Strips {
  let rows: Int
  let members: Int
  private let count: Int

  /// Every strip reads all weights: longer ones read them less often, and need more memory. An image of 224 pixels
  /// at patch size 16 is one strip.
  private static let rowsPerStrip = 256

  init(rows: Int, members: Int) {
    self.rows = rows
    self.members = members
    let needed = (rows + Self.rowsPerStrip - 1) / Self.rowsPerStrip
    count = (needed + members - 1) / members * members
  }

  /// Rows of the longest strip.
  var longest: Int { (rows + count - 1) / count }

  func forEachOfAll(_ body: (Range<Int>) -> Void) {
    for member in 0..<members { forEach(of: member, body) }
  }

  func forEach(of member: Int, _ body: (Range<Int>) -> Void) {
    for strip in stride(from: member, to: count, by: members) {
      let range = rows * strip / count..<rows * (strip + 1) / count
      if !range.isEmpty { body(range) }
    }
  }
}
