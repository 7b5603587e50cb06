import Glibc
import Randomness

/// A crowd of short curved threads around the nucleus, fewer towards the border.
func drawMitochondria(
  in cell: CellAnatomy, texture: Texture, using generator: inout SeededGenerator
) -> Canvas {
  var canvas = Canvas(width: cell.width, height: cell.height)
  let sigma = max(0.55, 0.016 * texture.coarseness * cell.unit)
  let step = max(0.5, 0.03 * cell.unit)
  for _ in 0..<max(8, Int(120 * texture.abundance)) {
    guard var point = cell.cytoplasmicPoint(decay: 0.33, clearance: 1, using: &generator) else { break }
    var thread = [point]
    var heading = generator.uniform(in: 0...(2 * .pi))
    let turning = 0.15 * generator.normal()
    for _ in 0..<Int(generator.uniform(in: 5...18)) {
      heading += turning + 0.22 * generator.normal()
      point = point.moved(step, towards: heading)
      guard cell.isCytoplasm(point, clearance: 1.5) else { break }
      thread.append(point)
    }
    canvas.addStroke(
      through: thread, sigma: sigma, amplitude: Float(generator.uniform(in: 0.35...1.1)))
  }
  cell.clip(&canvas)
  return canvas
}

/// Short stacks crowded into a crescent on one side of the nucleus.
func drawGolgiApparatus(
  in cell: CellAnatomy, texture: Texture, using generator: inout SeededGenerator
) -> Canvas {
  var canvas = Canvas(width: cell.width, height: cell.height)
  let side = generator.uniform(in: 0...(2 * .pi))
  let spread = generator.uniform(in: 0.3...0.6)
  let sigma = max(0.7, 0.026 * texture.coarseness * cell.unit)
  for _ in 0..<max(6, Int(16 * texture.abundance)) {
    let angle = side + spread * generator.normal()
    let envelope = cell.nucleus.reach(towards: cell.nucleus.center.moved(1, towards: angle))
    let middle = cell.nucleus.center.moved(
      envelope + cell.unit * generator.uniform(in: 0.05...0.24), towards: angle)
    let length = cell.unit * generator.uniform(in: 0.08...0.22)
    var heading = angle + .pi / 2 + 0.5 * generator.normal()
    let bend = 0.5 * generator.normal()
    var point = middle.moved(-length / 2, towards: heading)
    var ribbon = [point]
    for _ in 0..<4 {
      point = point.moved(length / 4, towards: heading)
      heading += bend / 4
      ribbon.append(point)
    }
    canvas.addStroke(
      through: ribbon.filter { cell.isCytoplasm($0, clearance: 0.5) }, sigma: sigma,
      amplitude: Float(generator.uniform(in: 0.7...1.5)))
  }
  cell.clip(&canvas)
  return canvas
}

/// Tens of round spots of unequal brightness, scattered through the cytoplasm.
func drawVesicles(
  in cell: CellAnatomy, texture: Texture, using generator: inout SeededGenerator
) -> Canvas {
  var canvas = Canvas(width: cell.width, height: cell.height)
  for _ in 0..<max(10, Int(55 * texture.abundance)) {
    guard let point = cell.cytoplasmicPoint(decay: 0.7, clearance: 1.5, using: &generator) else { break }
    let size = 0.022 * texture.coarseness * exp(0.2 * generator.normal())
    canvas.addSpot(
      at: point, sigma: max(0.6, size * cell.unit), amplitude: Float(1.2 * exp(0.45 * generator.normal())))
  }
  cell.clip(&canvas)
  return canvas
}
