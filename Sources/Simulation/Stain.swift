import Glibc
import Randomness

/// What one channel of a field beside the nucleus shows of a cell.
struct Stain {
  /// Ends the file's name: `protein`, or a location's name in lower case with dashes.
  let name: String
  /// Photons of a pixel full of it, in a cell of middling expression.
  let brightness: Double
  /// Draws it into one cell: fluorophores per pixel, 0 outside the cell.
  let draw: (_ cell: CellAnatomy, _ generator: inout SeededGenerator) -> Canvas

  /// All locations of a gene, over unspecific staining.
  static func protein(of gene: SimulatedGene) -> Stain {
    Stain(name: proteinName, brightness: gene.brightness) { cell, generator in
      var canvas = cell.paint { x, y in
        gene.haze * (1 - exp(-Double(cell.edgeDistance[x, y]) / (0.1 * cell.unit)))
      }
      for (localization, weight) in zip(gene.localizations, gene.weights) {
        let structure = localization.draw(in: cell, texture: gene.texture, using: &generator)
        for index in canvas.values.indices { canvas.values[index] += weight * structure.values[index] }
      }
      return canvas
    }
  }

  static let proteinName = "protein"

  static func layerName(_ localization: Localization) -> String {
    localization.rawValue.lowercased().split(separator: " ").joined(separator: "-")
  }

  /// Every location by itself, bright enough that noise can be added later.
  static func layers(texture: Texture) -> [Stain] {
    Localization.allCases.map { localization in
      Stain(name: layerName(localization), brightness: 600) { cell, generator in
        localization.draw(in: cell, texture: texture, using: &generator)
      }
    }
  }
}
