import Glibc
import Randomness

/// A protein with one set of locations and habits of its own, which all its fields share: a classifier that
/// is tested on unseen genes cannot lean on them.
struct SimulatedGene {
  /// SIM001, SIM002, ...
  let name: String
  let localizations: [Localization]
  /// Share of each location in the stain; the main one has 1.
  let weights: [Float]
  let texture: Texture
  /// Photons of a pixel full of the protein, in a cell of middling expression.
  let brightness: Double
  /// Standard deviation of the logarithm of the expression from cell to cell.
  let variability: Double
  /// Unspecific staining of the whole cell, relative to a structure.
  let haze: Double

  init(number: Int, seed: UInt64) {
    // The streams of the fields are small numbers; those of the genes start beyond them.
    var generator = SeededGenerator(seed: seed, stream: 1 << 32 + UInt64(number))
    let digits = String(number + 1)
    name = "SIM" + String(repeating: "0", count: max(0, 3 - digits.count)) + digits
    localizations = Localization.labelSet(ofGene: number)
    weights = localizations.indices.map { $0 == 0 ? 1 : Float(generator.uniform(in: 0.55...0.95)) }
    texture = Texture(
      coarseness: exp(0.10 * generator.normal()), abundance: exp(0.18 * generator.normal()),
      mottling: exp(0.3 * generator.normal()))
    brightness = min(max(200 * exp(0.4 * generator.normal()), 80), 600)
    variability = generator.uniform(in: 0.15...0.4)
    haze = generator.uniform(in: 0.02...0.07)
  }
}
