import Randomness

/// Made-up images somewhat like cells: smooth fields, round spots of many sizes, some noise. The same on every machine.
struct TrialImages {
  let count: Int
  let channels: Int
  let sidePx: Int
  /// [count, channels, sidePx, sidePx]; each channel of each image has mean 0 and SD 1, or is all zeros.
  let pixels: [Float]

  /// How the channels of an image belong together.
  enum Kind: CaseIterable {
    case different
    /// As where each channel of an image is fed to all inputs.
    case equal
    /// One channel, zeros in the others.
    case alone
  }

  /// - Parameter kinds: of the images, in turn.
  init(count: Int, channels: Int, sidePx: Int, kinds: [Kind], seed: UInt64) {
    (self.count, self.channels, self.sidePx) = (count, channels, sidePx)
    pixels = (0..<count).flatMap { image in
      var generator = SeededGenerator(seed: seed, stream: UInt64(image))
      let kind = kinds[image % kinds.count]
      let first = Self.plane(sidePx, &generator)
      return (0..<channels).flatMap { channel in
        switch kind {
        case .different: channel == 0 ? first : Self.plane(sidePx, &generator)
        case .equal: first
        case .alone: channel == image % channels ? first : [Float](repeating: 0, count: sidePx * sidePx)
        }
      }
    }
  }

  private static func plane(_ side: Int, _ generator: inout SeededGenerator) -> [Float] {
    var pixels = (0..<side * side).map { _ in 0.1 * generator.uniform() }
    for cells in [2, 5, 12] { addField(cells, to: &pixels, side, &generator) }
    for _ in 0..<Int(generator.uniform(in: 4...40)) { addSpot(to: &pixels, side, &generator) }
    let mean = pixels.reduce(0, +) / Double(pixels.count)
    let variance = pixels.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(pixels.count)
    return pixels.map { Float(($0 - mean) / variance.squareRoot()) }
  }

  /// Adds random heights on a lattice of so many cells a side, with straight lines between.
  private static func addField(
    _ cells: Int, to pixels: inout [Double], _ side: Int, _ generator: inout SeededGenerator
  ) {
    let heights = (0..<(cells + 1) * (cells + 1)).map { _ in generator.uniform() / Double(cells).squareRoot()
    }
    for row in 0..<side {
      let y = (Double(row) + 0.5) / Double(side) * Double(cells)
      for column in 0..<side {
        let x = (Double(column) + 0.5) / Double(side) * Double(cells)
        let corner = Int(y) * (cells + 1) + Int(x)
        let (down, right) = (y - y.rounded(.down), x - x.rounded(.down))
        let above = heights[corner] * (1 - right) + heights[corner + 1] * right
        let below = heights[corner + cells + 1] * (1 - right) + heights[corner + cells + 2] * right
        pixels[row * side + column] += above * (1 - down) + below * down
      }
    }
  }

  /// Adds a spot that is bright in the middle and gone at its radius.
  private static func addSpot(to pixels: inout [Double], _ side: Int, _ generator: inout SeededGenerator) {
    let radius = 1.5 + Double(side) / 8 * generator.uniform() * generator.uniform()
    let height = generator.uniform(in: 0.3...2)
    let (x, y) = (generator.uniform() * Double(side), generator.uniform() * Double(side))
    func reach(_ center: Double) -> Range<Int> {
      max(0, Int(center - radius))..<min(side, Int(center + radius) + 1)
    }
    for row in reach(y) {
      for column in reach(x) {
        let (down, right) = (Double(row) + 0.5 - y, Double(column) + 0.5 - x)
        let share = 1 - (down * down + right * right) / (radius * radius)
        if share > 0 { pixels[row * side + column] += height * share * share }
      }
    }
  }
}
