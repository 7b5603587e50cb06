import Glibc
import Randomness

/// One field of view with all that is known about it.
struct SimulatedField {
  /// 16-bit images of the two channels, row-major.
  let nucleus: [UInt16]
  let protein: [UInt16]
  /// 0 = background, otherwise the cell's number, from 1 without gaps.
  let mask: [UInt16]
  let cells: [SimulatedCell]

  init(gene: SimulatedGene, line: CellLine, number: Int, options: SimulationOptions) {
    var generator = SeededGenerator(seed: options.seed, stream: UInt64(number))
    let size = options.sizePx
    let unit = options.cellRadiusPx
    let count = max(1, Int((Double(options.cellsPerField) * generator.uniform(in: 0.85...1.15)).rounded()))
    let shapes = scatterCells(count: count, sizePx: size, line: line, unit: unit, using: &generator)
    let field = LabelField(shapes: shapes, sizePx: size)

    var dna = Canvas(width: size, height: size)
    var stain = dna
    var cells: [SimulatedCell] = []
    for (index, shape) in shapes.enumerated() {
      let anatomy = CellAnatomy(shape, label: UInt16(index + 1), in: field, unit: unit, using: &generator)
      let expression = exp(gene.variability * generator.normal())
      // Between one and two sets of chromosomes, as in a growing culture.
      let dnaContent = generator.uniform(in: 1...2)
      dna.add(
        drawChromatin(in: anatomy, using: &generator), scale: Float(160 * dnaContent), at: anatomy.window)
      stain.add(
        drawProtein(of: gene, in: anatomy, using: &generator),
        scale: Float(gene.brightness * expression), at: anatomy.window)
      cells.append(
        SimulatedCell(
          label: index + 1, centroid: anatomy.centroid, areaPx: anatomy.areaPx,
          nucleusAreaPx: anatomy.nucleusAreaPx, expression: expression))
    }
    let camera = Camera(pointSpread: max(0.6, 0.017 * unit), sizePx: size, using: &generator)
    nucleus = camera.expose(dna, using: &generator)
    protein = camera.expose(stain, using: &generator)
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

/// All locations of a gene in one cell, over unspecific staining.
private func drawProtein(
  of gene: SimulatedGene, in cell: CellAnatomy, using generator: inout SeededGenerator
) -> Canvas {
  var canvas = cell.paint { x, y in
    gene.haze * (1 - exp(-Double(cell.edgeDistance[x, y]) / (0.1 * cell.unit)))
  }
  for (localization, weight) in zip(gene.localizations, gene.weights) {
    let structure = localization.draw(in: cell, texture: gene.texture, using: &generator)
    for index in canvas.values.indices { canvas.values[index] += weight * structure.values[index] }
  }
  return canvas
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
