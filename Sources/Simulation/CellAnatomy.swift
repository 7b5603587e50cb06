import Glibc
import Randomness

/// What the patterns need to know about one cell, in the coordinates of its own window.
struct CellAnatomy {
  let window: PixelWindow
  /// Mean radius of a cell in the field, in pixels: the unit of every length in the patterns.
  let unit: Double
  /// Pixels to the border of the cell, 0 outside it.
  let edgeDistance: Canvas
  /// Pixels to the nuclear envelope, negative inside the nucleus.
  let nuclearDistance: Canvas
  let nucleus: Outline
  /// Two to five dense bodies inside the nucleus.
  let nucleoli: [Outline]
  let areaPx: Int
  let nucleusAreaPx: Int
  /// Mean position of the cell's pixels in the image.
  let centroid: Point

  init(
    _ shape: CellShape, label: UInt16, in field: LabelField, unit: Double,
    using generator: inout SeededGenerator
  ) {
    let window = PixelWindow(
      around: shape.outline.center, reach: shape.outline.longestReach, sizePx: field.sizePx)
    var nucleus = shape.nucleus
    nucleus.center = Point(
      x: nucleus.center.x - Double(window.left), y: nucleus.center.y - Double(window.top))
    var edge = Canvas(width: window.width, height: window.height)
    var nuclear = edge
    var area = 0
    var nucleusArea = 0
    var sum = Point(x: 0, y: 0)
    for y in 0..<window.height {
      for x in 0..<window.width {
        let distance = nucleus.signedDistance(of: Point(x: Double(x), y: Double(y)))
        nuclear[x, y] = Float(distance)
        let pixel = (y + window.top) * field.sizePx + x + window.left
        guard field.labels[pixel] == label else { continue }
        edge[x, y] = field.edgeDistance[pixel]
        area += 1
        if distance < 0 { nucleusArea += 1 }
        sum.x += Double(x + window.left)
        sum.y += Double(y + window.top)
      }
    }
    self.window = window
    self.unit = unit
    self.nucleus = nucleus
    edgeDistance = edge
    nuclearDistance = nuclear
    areaPx = area
    nucleusAreaPx = nucleusArea
    centroid = Point(x: sum.x / Double(max(1, area)), y: sum.y / Double(max(1, area)))
    nucleoli = Self.scatterNucleoli(in: nucleus, unit: unit, using: &generator)
  }

  private static func scatterNucleoli(
    in nucleus: Outline, unit: Double, using generator: inout SeededGenerator
  ) -> [Outline] {
    let count = 2 + Int(4 * generator.uniform())
    var placed: [Outline] = []
    for _ in 0..<40 where placed.count < count {
      let angle = generator.uniform(in: 0...(2 * .pi))
      let reach = nucleus.reach(towards: nucleus.center.moved(1, towards: angle))
      let center = nucleus.center.moved(0.68 * reach * generator.uniform().squareRoot(), towards: angle)
      let radius = unit * generator.uniform(in: 0.06...0.12)
      guard placed.allSatisfy({ $0.center.distance(to: center) > 2.2 * radius }) else { continue }
      placed.append(
        Outline(center: center, radius: radius, elongation: 1.25, irregularity: 0.1, using: &generator))
    }
    return placed
  }

  var width: Int { window.width }
  var height: Int { window.height }

  /// A canvas whose pixels inside the cell come from a function of their place, and are 0 outside.
  func paint(_ value: (_ x: Int, _ y: Int) -> Double) -> Canvas {
    var canvas = Canvas(width: width, height: height)
    for y in 0..<height {
      for x in 0..<width where edgeDistance[x, y] > 0 { canvas[x, y] = Float(value(x, y)) }
    }
    return canvas
  }

  /// Sets to 0 what was drawn beyond the cell's border.
  func clip(_ canvas: inout Canvas) {
    for index in canvas.values.indices where edgeDistance.values[index] == 0 { canvas.values[index] = 0 }
  }

  /// How much of a pixel lies in the nucleus: 0 to 1, with a border one pixel wide.
  func nuclearShare(_ x: Int, _ y: Int) -> Double {
    min(max(0.5 - Double(nuclearDistance[x, y]), 0), 1)
  }

  /// How much of a pixel lies in a nucleolus: 0 to 1.
  func nucleolarShare(_ x: Int, _ y: Int) -> Double {
    let point = Point(x: Double(x), y: Double(y))
    return nucleoli.reduce(0) { max($0, min(max(0.5 - $1.signedDistance(of: point), 0), 1)) }
  }

  /// A random place in the cytoplasm, the likelier the nearer to the nucleus; nil when there is hardly any.
  ///
  /// - Parameter decay: distance from the envelope over which the odds fall to 1/e, in cell radii.
  /// - Parameter clearance: pixels to keep from the envelope and from the border of the cell.
  func cytoplasmicPoint(
    decay: Double, clearance: Double, using generator: inout SeededGenerator
  ) -> Point? {
    for _ in 0..<400 {
      let point = Point(
        x: generator.uniform() * Double(max(0, width - 1)),
        y: generator.uniform() * Double(max(0, height - 1)))
      guard isCytoplasm(point, clearance: clearance), let distance = nuclearDistance.value(at: point)
      else { continue }
      if generator.uniform() < exp(-Double(distance) / (decay * unit)) { return point }
    }
    return nil
  }

  func isCytoplasm(_ point: Point, clearance: Double) -> Bool {
    guard let nuclear = nuclearDistance.value(at: point), let edge = edgeDistance.value(at: point) else {
      return false
    }
    return Double(nuclear) > clearance && Double(edge) > clearance
  }
}
