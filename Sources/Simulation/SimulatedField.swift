import Glibc
import Randomness

/// One field of view with all that is known about it.
struct SimulatedField {
  /// 16-bit images, row-major, by channel: nucleus and protein, or nucleus and every location.
  let channels: [(name: String, pixels: [UInt16])]
  /// 0 = background, otherwise the cell's number, from 1 without gaps.
  let mask: [UInt16]
  let cells: [SimulatedCell]

  /// The names of `channels`.
  static func channelNames(isLayered: Bool) -> [String] {
    ["nucleus"] + (isLayered ? Localization.allCases.map(Stain.layerName) : [Stain.proteinName])
  }

  init(gene: SimulatedGene, line: CellLine, number: Int, options: SimulationOptions) {
    var generator = SeededGenerator(seed: options.seed, stream: UInt64(number))
    let size = options.sizePx
    let unit = options.cellRadiusPx
    let count = max(1, Int((Double(options.cellsPerField) * generator.uniform(in: 0.85...1.15)).rounded()))
    let shapes = scatterCells(count: count, sizePx: size, line: line, unit: unit, using: &generator)
    let field = LabelField(shapes: shapes, sizePx: size)

    var dna = Canvas(width: size, height: size)
    let stains = options.isLayered ? Stain.layers(texture: gene.texture) : [.protein(of: gene)]
    var drawn = stains.map { _ in dna }
    var cells: [SimulatedCell] = []
    for (index, shape) in shapes.enumerated() {
      let anatomy = CellAnatomy(shape, label: UInt16(index + 1), in: field, unit: unit, using: &generator)
      let expression = exp(gene.variability * generator.normal())
      // Between one and two sets of chromosomes, as in a growing culture.
      let dnaContent = generator.uniform(in: 1...2)
      dna.add(
        drawChromatin(in: anatomy, using: &generator), scale: Float(160 * dnaContent), at: anatomy.window)
      for (index, stain) in stains.enumerated() {
        drawn[index].add(
          stain.draw(anatomy, &generator), scale: Float(stain.brightness * expression), at: anatomy.window)
      }
      cells.append(
        SimulatedCell(
          label: index + 1, centroid: anatomy.centroid, areaPx: anatomy.areaPx,
          nucleusAreaPx: anatomy.nucleusAreaPx, expression: expression))
    }
    let camera = Camera(pointSpread: max(0.6, 0.017 * unit), sizePx: size, using: &generator)
    var channels = [("nucleus", camera.expose(dna, using: &generator))]
    for (stain, canvas) in zip(stains, drawn) {
      channels.append((stain.name, camera.expose(canvas, using: &generator)))
    }
    self.channels = channels
    mask = field.labels
    self.cells = cells
  }
}

/// What was put into one cell.
struct SimulatedCell: Sendable {
  /// The cell's value in the mask.
  let label: Int
  let centroid: Point
  let areaPx: Int
  let nucleusAreaPx: Int
  /// Amount of the protein relative to the gene's middling cell.
  let expression: Double
}

extension Canvas {
  /// Adds a cell's window to the field that it was cut from.
  fileprivate mutating func add(_ part: Canvas, scale: Float, at window: PixelWindow) {
    for y in 0..<part.height {
      let row = (y + window.top) * width + window.left
      for x in 0..<part.width { values[row + x] += scale * part.values[y * part.width + x] }
    }
  }
}
