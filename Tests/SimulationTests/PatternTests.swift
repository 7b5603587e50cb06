import Randomness
import Testing

@testable import Simulation

@Suite struct PatternTests {
  private static let texture = Texture(coarseness: 1, abundance: 1, mottling: 1)

  /// One cell alone in its field, of the size that the documentation's set has.
  private static func cell(seed: UInt64) -> CellAnatomy {
    var generator = SeededGenerator(seed: seed)
    let shape = CellShape(
      line: CellLine.all[0], center: Point(x: 80, y: 80), unit: 45, using: &generator)
    let field = LabelField(shapes: [shape], sizePx: 160)
    return CellAnatomy(shape, label: 1, in: field, unit: 45, using: &generator)
  }

  /// The share of a pattern's light in the pixels that `isInside` names.
  private static func share(
    of canvas: Canvas, in cell: CellAnatomy, where isInside: (_ pixel: Int) -> Bool
  ) -> Float {
    let total = canvas.values.reduce(0, +)
    return canvas.values.indices.reduce(0) { $0 + (isInside($1) ? canvas.values[$1] : 0) } / total
  }

  @Test(arguments: Localization.allCases)
  func patternLightsItsOwnPlaceAndNothingOutsideTheCell(localization: Localization) {
    let cell = Self.cell(seed: 5)
    var generator = SeededGenerator(seed: 9)
    let canvas = localization.draw(in: cell, texture: Self.texture, using: &generator)
    let edge = cell.edgeDistance.values
    let nuclear = cell.nuclearDistance.values
    func share(where isInside: (_ pixel: Int) -> Bool) -> Float {
      Self.share(of: canvas, in: cell, where: isInside)
    }

    #expect(canvas.values.allSatisfy { $0 >= 0 && $0.isFinite })
    #expect(share { edge[$0] == 0 } == 0)
    switch localization {
    case .nucleoplasm:
      #expect(share { nuclear[$0] < 1 } > 0.99)
    case .nucleoli:
      let width = cell.width
      #expect(
        share { pixel in
          let point = Point(x: Double(pixel % width), y: Double(pixel / width))
          return cell.nucleoli.contains { $0.signedDistance(of: point) < 1 }
        } > 0.6)
      #expect(share { nuclear[$0] < 1 } > 0.99)
    case .nuclearMembrane:
      #expect(share { abs(nuclear[$0]) < 3 } > 0.6)
    case .cytosol:
      #expect(share { nuclear[$0] > -1 } > 0.85)
      #expect(share { edge[$0] < 3 } < 0.1)
    case .endoplasmicReticulum:
      #expect(share { nuclear[$0] > -2 } > 0.85)
      #expect(share { (-3...15).contains(nuclear[$0]) } > 0.55)
    case .plasmaMembrane:
      #expect(share { edge[$0] > 0 && edge[$0] < 5 } > 0.4)
    case .mitochondria, .vesicles, .golgiApparatus:
      #expect(share { nuclear[$0] > 0 } > 0.9)
    }
  }

  @Test func golgiLiesOnOneSideAndMitochondriaAllAround() {
    let cell = Self.cell(seed: 6)
    func offset(_ localization: Localization) -> Double {
      var generator = SeededGenerator(seed: 4)
      let canvas = localization.draw(in: cell, texture: Self.texture, using: &generator)
      var sum = Point(x: 0, y: 0)
      var total = 0.0
      for y in 0..<cell.height {
        for x in 0..<cell.width {
          sum.x += Double(x) * Double(canvas[x, y])
          sum.y += Double(y) * Double(canvas[x, y])
          total += Double(canvas[x, y])
        }
      }
      return Point(x: sum.x / total, y: sum.y / total).distance(to: cell.nucleus.center) / cell.unit
    }
    #expect(offset(.golgiApparatus) > 0.3)
    #expect(offset(.mitochondria) < 0.25)
  }

  @Test func chromatinLeavesHolesForNucleoli() {
    let cell = Self.cell(seed: 7)
    var generator = SeededGenerator(seed: 2)
    let canvas = drawChromatin(in: cell, using: &generator)
    let holes = cell.nucleoli.compactMap { canvas.value(at: $0.center) }
    let nucleus = zip(canvas.values, cell.nuclearDistance.values).filter { $0.1 < -1 }.map(\.0)
    let mean = nucleus.reduce(0, +) / Float(nucleus.count)
    #expect(holes.allSatisfy { $0 < 0.8 * mean })
  }

  @Test func twelveGenesShowEveryLocationAloneAndThreeMixtures() {
    let sets = (0..<12).map(Localization.labelSet(ofGene:))
    #expect(Set(sets.filter { $0.count == 1 }.joined()) == Set(Localization.allCases))
    #expect(sets.filter { $0.count == 2 }.count == 3)
    let later = (12..<36).map(Localization.labelSet(ofGene:)).filter { $0.count == 2 }
    #expect(Set(later).isDisjoint(with: sets))
  }
}
