import Glibc
import Randomness

/// The whole cytoplasm, thickest and so brightest near the nucleus, with small dark holes where organelles
/// keep the protein out.
func drawCytosol(
  in cell: CellAnatomy, texture: Texture, using generator: inout SeededGenerator
) -> Canvas {
  let grain = cell.cloud(size: 0.04 * texture.coarseness, using: &generator)
  let organelles = cell.cloud(size: 0.03, using: &generator)
  return cell.paint { x, y in
    let thickness = 1 - exp(-Double(cell.edgeDistance[x, y]) / (0.16 * cell.unit))
    let holes = 1 - 0.35 / (1 + exp(-6 * (Double(organelles[x, y]) - 1.3)))
    let density = thickness * holes * max(0.3, 1 + 0.1 * texture.mottling * Double(grain[x, y]))
    return density * (1 - 0.85 * cell.nuclearShare(x, y))
  }
}

/// A mesh of tubules, dense around the nucleus and thinning out, with the nuclear envelope that it is
/// continuous with.
func drawEndoplasmicReticulum(
  in cell: CellAnatomy, texture: Texture, using generator: inout SeededGenerator
) -> Canvas {
  // The zero lines of smooth noise form a mesh without loose ends.
  let mesh = cell.cloud(size: 0.035 * texture.coarseness, using: &generator)
  let sheets = cell.cloud(size: 0.12, using: &generator)
  let envelope = max(0.8, 0.025 * cell.unit)
  return cell.paint { x, y in
    let distance = Double(cell.nuclearDistance[x, y])
    let rim = exp(-distance * distance / (2 * envelope * envelope))
    let tubule = exp(-Double(mesh[x, y] * mesh[x, y]) / (2 * 0.3 * 0.3))
    let decay = exp(-max(0, distance) / (0.30 * cell.unit))
    let thickness = 1 - exp(-Double(cell.edgeDistance[x, y]) / (0.08 * cell.unit))
    let sheet = 0.45 * max(0, 1 + 0.3 * texture.mottling * Double(sheets[x, y]))
    let network = (1.1 * tubule + sheet) * (0.12 + 0.95 * decay) * thickness
    let inside = cell.nuclearShare(x, y)
    return network * (1 - inside) + 0.12 * inside + 0.9 * rim
  }
}

/// A bright border with patches and ruffles, over the faint membrane above and below the focal plane.
func drawPlasmaMembrane(
  in cell: CellAnatomy, texture: Texture, using generator: inout SeededGenerator
) -> Canvas {
  let patches = cell.cloud(size: 0.07, using: &generator)
  let ruffles = cell.cloud(size: 0.035, using: &generator)
  let width = max(0.9, 0.028 * texture.coarseness * cell.unit)
  return cell.paint { x, y in
    let depth = (Double(cell.edgeDistance[x, y]) - 1) / width
    let rim = exp(-depth * depth / 2) * max(0.25, 1 + 0.4 * Double(patches[x, y]))
    let near = exp(-Double(cell.edgeDistance[x, y]) / (0.15 * cell.unit))
    let surface = 0.16 + 0.12 * near * max(0, 1 + texture.mottling * Double(ruffles[x, y]))
    return 1.5 * rim + surface
  }
}
