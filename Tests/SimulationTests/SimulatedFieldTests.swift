import Randomness
import Testing

@testable import Simulation

@Suite struct SimulatedFieldTests {
  @Test func maskNumbersTheCellsFromOneWithoutGaps() {
    var options = SimulationOptions()
    options.sizePx = 96
    options.cellsPerField = 6
    let gene = SimulatedGene(number: 4, seed: 1)
    let field = SimulatedField(gene: gene, line: CellLine.all[1], number: 0, options: options)
    #expect(field.cells.count > 2)
    #expect(field.cells.map(\.label) == Array(1...field.cells.count))
    for cell in field.cells {
      let area = field.mask.count { Int($0) == cell.label }
      #expect(area == cell.areaPx)
      #expect(cell.nucleusAreaPx < cell.areaPx)
    }
    #expect(field.mask.allSatisfy { Int($0) <= field.cells.count })
  }

  @Test(arguments: [0.0, 40, 400])
  func noiseIsThatOfPhotonsAndOfTheReadOut(photons: Double) {
    var generator = SeededGenerator(seed: 8)
    let camera = Camera(pointSpread: 1, sizePx: 4096, using: &generator)
    // In this corner of a huge field the illumination is as good as even.
    let image = camera.expose(
      Canvas(width: 64, height: 64, filledWith: Float(photons)), using: &generator)
    let seen = image.map { (Double($0) - Camera.offset) / Camera.gain }
    let mean = seen.reduce(0, +) / Double(seen.count)
    let variance = seen.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(seen.count - 1)
    let full = photons + Camera.background
    #expect(mean < full && mean > 0.7 * full - 0.2)
    // Shot noise has the variance of its mean; 4096 samples know a variance to 2.2 %.
    #expect(abs(variance / (mean + Camera.readNoise * Camera.readNoise) - 1) < 0.1)
  }

  @Test func genesOfOneLabelDifferInExpressionAndTexture() {
    let first = SimulatedGene(number: 0, seed: 1)
    let second = SimulatedGene(number: 12, seed: 1)
    #expect(first.name == "SIM001" && second.name == "SIM013")
    #expect(first.localizations == second.localizations)
    #expect(first.brightness != second.brightness)
    #expect(first.texture.coarseness != second.texture.coarseness)
  }
}
