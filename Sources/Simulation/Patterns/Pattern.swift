import Randomness

/// How one gene's protein fills its structures: what differs between two genes of the same location.
struct Texture: Sendable {
  /// Width of the structures relative to the usual.
  let coarseness: Double
  /// Number of the structures relative to the usual.
  let abundance: Double
  /// Unevenness of diffuse staining relative to the usual.
  let mottling: Double
}

extension Localization {
  /// Draws this location's structures into one cell.
  ///
  /// - Returns: fluorophores per pixel, about 1 where a structure is present, 0 outside the cell.
  func draw(
    in cell: CellAnatomy, texture: Texture, using generator: inout SeededGenerator
  ) -> Canvas {
    switch self {
    case .nucleoplasm: drawNucleoplasm(in: cell, texture: texture, using: &generator)
    case .nucleoli: drawNucleoli(in: cell, texture: texture, using: &generator)
    case .nuclearMembrane: drawNuclearMembrane(in: cell, texture: texture, using: &generator)
    case .cytosol: drawCytosol(in: cell, texture: texture, using: &generator)
    case .endoplasmicReticulum: drawEndoplasmicReticulum(in: cell, texture: texture, using: &generator)
    case .plasmaMembrane: drawPlasmaMembrane(in: cell, texture: texture, using: &generator)
    case .mitochondria: drawMitochondria(in: cell, texture: texture, using: &generator)
    case .golgiApparatus: drawGolgiApparatus(in: cell, texture: texture, using: &generator)
    case .vesicles: drawVesicles(in: cell, texture: texture, using: &generator)
    }
  }
}

extension CellAnatomy {
  /// Unevenness over the cell's window with features of `size` cell radii.
  func cloud(size: Double, using generator: inout SeededGenerator) -> Canvas {
    .cloud(width: width, height: height, sigma: max(0.7, size * unit), using: &generator)
  }
}
