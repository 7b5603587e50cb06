import Randomness
import Testing

@testable import Simulation

@Suite struct LabelFieldTests {
  private func crowdedField() -> (shapes: [CellShape], field: LabelField) {
    var generator = SeededGenerator(seed: 11)
    let shapes = scatterCells(
      count: 5, sizePx: 64, line: CellLine.all[0], unit: 14, using: &generator)
    return (shapes, LabelField(shapes: shapes, sizePx: 64))
  }

  @Test func edgeDistanceIsNearTheDistanceToTheNearestForeignPixel() {
    let (_, field) = crowdedField()
    let size = field.sizePx
    for pixel in stride(from: 0, to: size * size, by: 37) {
      let label = field.labels[pixel]
      guard label != 0 else {
        #expect(field.edgeDistance[pixel] == 0)
        continue
      }
      let nearest = (0..<size * size).lazy.filter { field.labels[$0] != label }.map {
        Point(x: Double($0 % size), y: Double($0 / size))
          .distance(to: Point(x: Double(pixel % size), y: Double(pixel / size)))
      }.min()
      let truth = nearest ?? 0
      // The steps 1 and sqrt(2) go round corners: never shorter, at most 8.3 % longer.
      #expect(Double(field.edgeDistance[pixel]) >= truth - 1e-3)
      #expect(Double(field.edgeDistance[pixel]) <= 1.083 * truth + 1e-3)
    }
  }

  @Test func everyCellKeepsItsCentreAndItsNucleus() {
    let (shapes, field) = crowdedField()
    #expect(shapes.count > 1)
    for (index, shape) in shapes.enumerated() {
      let center = shape.outline.center
      let pixel = Int(center.y.rounded()) * field.sizePx + Int(center.x.rounded())
      #expect(field.labels[pixel] == UInt16(index + 1))
      var generator = SeededGenerator(seed: 1)
      let anatomy = CellAnatomy(
        shape, label: UInt16(index + 1), in: field, unit: 14, using: &generator)
      #expect(anatomy.nucleusAreaPx > 0)
      #expect(anatomy.nucleusAreaPx < anatomy.areaPx)
      #expect((2...5).contains(anatomy.nucleoli.count))
    }
  }

  @Test func cellsThatDoNotFitAreLeftOut() {
    var generator = SeededGenerator(seed: 1)
    let shapes = scatterCells(count: 500, sizePx: 64, line: CellLine.all[0], unit: 14, using: &generator)
    #expect((1..<60).contains(shapes.count))
  }
}
