import Glibc
import Randomness

/// DNA stain: chromatin in clumps of two sizes, nucleoli as holes.
func drawChromatin(in cell: CellAnatomy, using generator: inout SeededGenerator) -> Canvas {
  let fine = cell.cloud(size: 0.022, using: &generator)
  let coarse = cell.cloud(size: 0.07, using: &generator)
  return cell.paint { x, y in
    let clumps = 1 + 0.14 * Double(fine[x, y]) + 0.14 * Double(coarse[x, y])
    return cell.nuclearShare(x, y) * max(0.2, clumps) * (1 - 0.6 * cell.nucleolarShare(x, y))
  }
}

/// The nucleus but for its nucleoli, finely grained.
func drawNucleoplasm(
  in cell: CellAnatomy, texture: Texture, using generator: inout SeededGenerator
) -> Canvas {
  let grain = cell.cloud(size: 0.03 * texture.coarseness, using: &generator)
  return cell.paint { x, y in
    let density = max(0.3, 1 + 0.13 * texture.mottling * Double(grain[x, y]))
    return cell.nuclearShare(x, y) * density * (1 - 0.75 * cell.nucleolarShare(x, y))
  }
}

/// Two to five bright bodies in a faint nucleus.
func drawNucleoli(
  in cell: CellAnatomy, texture: Texture, using generator: inout SeededGenerator
) -> Canvas {
  let grain = cell.cloud(size: 0.025 * texture.coarseness, using: &generator)
  let haze = 0.12 * texture.mottling
  return cell.paint { x, y in
    let density = max(0.4, 1 + 0.15 * Double(grain[x, y]))
    return cell.nuclearShare(x, y) * haze + 1.5 * density * cell.nucleolarShare(x, y)
  }
}

/// A thin ring around the nucleus, over the faint sheet of envelope above and below the focal plane.
func drawNuclearMembrane(
  in cell: CellAnatomy, texture: Texture, using generator: inout SeededGenerator
) -> Canvas {
  let patches = cell.cloud(size: 0.06, using: &generator)
  let width = max(0.8, 0.02 * texture.coarseness * cell.unit)
  return cell.paint { x, y in
    let depth = Double(cell.nuclearDistance[x, y]) / width
    let rim = exp(-depth * depth / 2) * max(0.4, 1 + 0.2 * texture.mottling * Double(patches[x, y]))
    return 1.6 * rim + 0.22 * cell.nuclearShare(x, y)
  }
}
