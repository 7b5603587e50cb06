import Glibc
import Randomness

/// A star-convex outline: for every direction from its centre, how far it reaches.
///
/// The reach is a low-order Fourier series over the angle, tabulated.
struct Outline {
  var center: Point
  /// Reach in pixels at `tableSize` equal steps of the angle, starting at angle 0 (growing x).
  private var reach: [Double]

  private static let tableSize = 256

  /// - Parameter elongation: long axis over short axis, at least 1.
  /// - Parameter irregularity: standard deviation of the third-order bump relative to the radius; higher
  ///   orders have less.
  init(
    center: Point, radius: Double, elongation: Double, irregularity: Double,
    using generator: inout SeededGenerator
  ) {
    self.center = center
    let axis = generator.uniform(in: 0...Double.pi)
    let bumps = (3...6).map { order in
      (
        order: Double(order), height: 3 * irregularity / Double(order) * generator.normal(),
        phase: generator.uniform(in: 0...(2 * .pi))
      )
    }
    let long = radius * elongation.squareRoot()
    let short = radius / elongation.squareRoot()
    reach = (0..<Self.tableSize).map { step in
      let angle = 2 * .pi * Double(step) / Double(Self.tableSize)
      let ellipse = long * short / hypot(short * cos(angle - axis), long * sin(angle - axis))
      let ripple = bumps.reduce(1) { $0 + $1.height * cos($1.order * angle + $1.phase) }
      return ellipse * max(0.5, ripple)
    }
  }

  /// How far the outline reaches in the direction of a point, in pixels.
  func reach(towards point: Point) -> Double {
    let turn = atan2(point.y - center.y, point.x - center.x) / (2 * .pi)
    return reach[Int(((turn + 1) * Double(Self.tableSize)).rounded()) % Self.tableSize]
  }

  /// Distance from the centre in units of the reach: below 1 inside, 1 on the outline.
  func relativeDistance(of point: Point) -> Double {
    center.distance(to: point) / reach(towards: point)
  }

  /// Pixels from the outline along the ray from the centre: negative inside.
  func signedDistance(of point: Point) -> Double {
    center.distance(to: point) - reach(towards: point)
  }

  var longestReach: Double { reach.max() ?? 0 }

  /// Widens the outline wherever `inner` comes nearer to it than the given factor.
  mutating func contain(_ inner: Outline, factor: Double) {
    for step in reach.indices {
      let angle = 2 * .pi * Double(step) / Double(Self.tableSize)
      let shift = (inner.center.x - center.x) * cos(angle) + (inner.center.y - center.y) * sin(angle)
      reach[step] = max(reach[step], factor * inner.reach[step] + max(0, shift))
    }
  }
}

/// How the cells of one line look; lengths are relative to the field's mean cell radius.
package struct CellLine: Sendable {
  package let name: String
  let radius: Double
  let elongation: ClosedRange<Double>
  let irregularity: Double
  let nucleusRadius: Double
  let nucleusElongation: ClosedRange<Double>

  /// Two lines as different as a flat bone cell and a compact epithelial cell.
  package static let all = [
    CellLine(
      name: "SIM-flat", radius: 1.05, elongation: 1.15...1.7, irregularity: 0.075,
      nucleusRadius: 0.40, nucleusElongation: 1.15...1.5),
    CellLine(
      name: "SIM-round", radius: 0.85, elongation: 1.0...1.25, irregularity: 0.045,
      nucleusRadius: 0.42, nucleusElongation: 1.0...1.2),
  ]
}

/// The outlines of one cell, before its neighbours press on it.
struct CellShape {
  var outline: Outline
  let nucleus: Outline

  init(line: CellLine, center: Point, unit: Double, using generator: inout SeededGenerator) {
    let radius = unit * line.radius * exp(0.12 * generator.normal())
    outline = Outline(
      center: center, radius: radius, elongation: generator.uniform(in: line.elongation),
      irregularity: line.irregularity, using: &generator)
    nucleus = Outline(
      center: center.moved(
        0.12 * radius * generator.uniform(), towards: generator.uniform(in: 0...(2 * .pi))),
      radius: unit * line.nucleusRadius * exp(0.08 * generator.normal()),
      elongation: generator.uniform(in: line.nucleusElongation), irregularity: 0.02, using: &generator)
    outline.contain(nucleus, factor: 1.3)
  }
}

/// Scatters cells over a field without letting nuclei meet: fewer than asked for when they do not fit.
func scatterCells(
  count: Int, sizePx: Int, line: CellLine, unit: Double, using generator: inout SeededGenerator
) -> [CellShape] {
  let margin = min(0.55 * unit, 0.45 * Double(sizePx))
  let span = margin...(Double(sizePx - 1) - margin)
  var centers: [Point] = []
  for _ in 0..<(60 * count) where centers.count < count {
    let candidate = Point(x: generator.uniform(in: span), y: generator.uniform(in: span))
    if centers.allSatisfy({ $0.distance(to: candidate) > 1.5 * line.radius * unit }) {
      centers.append(candidate)
    }
  }
  return centers.map { CellShape(line: line, center: $0, unit: unit, using: &generator) }
}
