import Storage

/// By which of a calibration's reaches lists are passed over.
enum VisitRule {
  /// That of a range, by how far the last neighbor is.
  case ofRange
  case near
  case far
}

/// Tells which lists a search need not visit any more.
struct VisitLimit {
  private let calibration: IndexRecord.Calibration
  private let k: Float
  private let rule: VisitRule
  private let reaches: [IndexRecord.Reach]
  private var reach: Float
  private var range: Float
  private var far: Float
  /// Whether more neighbors are looked for than were measured.
  private var isBeyond: Bool
  /// Codes that are looked for in the lists that were met, and all.
  private var (met, total): (Float, Float) = (0, 0)

  /// - Parameter start2: the square of the distance of the nearest centre.
  init(_ calibration: IndexRecord.Calibration, k: Int, start2: Float, _ rule: VisitRule) {
    self.calibration = calibration
    self.rule = rule
    self.k = Float(k)
    reaches = calibration.reaches(start2: start2)
    (reach, range, far) = reaches.reach(neighbors: self.k, far: calibration.farReach)
    isBeyond = k > reaches[reaches.count - 1].neighbors
  }

  /// Takes note of a list of which a search for some of the rows has seen so many codes. Where one in ten counts, ten
  /// neighbors lie as a hundred do where all count; how many count near the query need not be how many do everywhere.
  mutating func met(_ count: Int, of total: Int) {
    met += Float(count)
    self.total += Float(total)
    let share = min(1, max(1, met) / self.total)
    let expected = reaches.reach(neighbors: k / share, far: calibration.farReach)
    // The last neighbor may by chance be as near as fewer are: as many as one standard deviation of a draw of which
    // each counts with this share. Where it is nearer than most, more of the others lie in lists that are passed over.
    let fewer = k - (k * (1 - share)).squareRoot()
    let nearer = reaches.reach(neighbors: max(k, fewer / share), far: calibration.farReach)
    (reach, range, far) = (max(expected.near, nearer.near), expected.range, max(expected.far, nearer.far))
    isBeyond = k / share > Float(reaches[reaches.count - 1].neighbors)
  }

  /// The score below which lists are passed over, once the last neighbor has a similarity of `threshold`.
  func leastScore(_ threshold: Float) -> Float {
    if threshold <= -1 { return -.infinity }
    switch rule {
    case .ofRange:
      if isBeyond { return min(nearLeast(threshold), farLeast(threshold)) }
      return 2 * max(0, 1 - threshold) <= range ? nearLeast(threshold) : farLeast(threshold)
    case .near: return nearLeast(threshold)
    case .far: return farLeast(threshold)
    }
  }

  private func nearLeast(_ threshold: Float) -> Float { threshold - (1 + reach) / 2 }

  /// Farther away than was measured, which filters and strange queries do. With x for the distance of a centre, r for
  /// that of a row from its centre and d for that of the last neighbor, a row is as near as that when x^2 + r^2 - 2 x t
  /// <= d^2, t being how far its residue points to the query. This is the x at which it takes a t of `farReach`.
  private func farLeast(_ threshold: Float) -> Float {
    let (reach, surplus) = (far, Self.surplus(threshold, radius: calibration.radius))
    let farthest = reach + max(0, surplus + reach * reach).squareRoot()
    return (1 - farthest * abs(farthest)) / 2
  }

  /// The least reach with which a list of a score is not passed over.
  static func nearReach(score: Float, _ threshold: Float) -> Float { 2 * (threshold - score) - 1 }

  /// The least far reach with which a list of a score is not passed over.
  static func farReach(score: Float, _ threshold: Float, radius: Float) -> Float {
    let (distance2, surplus) = (max(0, 1 - 2 * score), surplus(threshold, radius: radius))
    let distance = distance2.squareRoot()
    return distance2 <= -surplus ? distance : (distance2 - surplus) / (2 * max(distance, 1e-3))
  }

  /// By how much the square of the last neighbor's distance is above that of `radius`. Squares of distances are
  /// 1 - 2 score of centres and 2 - 2 similarity of neighbors.
  private static func surplus(_ threshold: Float, radius: Float) -> Float {
    2 * max(0, 1 - threshold) - radius * radius
  }
}

/// Where a search of lists is given up.
struct ListLimits {
  /// The square of the distance of the nearest centre above which it is, before any list is visited.
  var startRange = Float.infinity
  /// What its codes and rows may cost.
  var cost = Double.infinity
  var code = 0.0
  var comparison = 0.0

  func areReached(by work: SearchWork, since before: SearchWork) -> Bool {
    Double(work.codes - before.codes) * code + Double(work.rows - before.rows) * comparison > cost
  }
}
