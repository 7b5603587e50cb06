import Randomness
import Testing

@testable import Simulation

@Suite struct CanvasTests {
  @Test func blurredPointIsAGaussianOfTheSameSum() {
    var canvas = Canvas(width: 31, height: 31)
    canvas[15, 15] = 1
    canvas.blur(sigma: 2)
    var spot = Canvas(width: 31, height: 31)
    spot.addSpot(at: Point(x: 15, y: 15), sigma: 2, amplitude: 1 / (2 * .pi * 4))
    #expect(abs(canvas.values.reduce(0, +) - 1) < 1e-5)
    // The blur's kernel ends at three sigma and is scaled to sum to 1.
    for index in canvas.values.indices { #expect(abs(canvas.values[index] - spot.values[index]) < 4e-4) }
  }

  @Test func blurKeepsAnEvenImageEvenToItsBorder() {
    var canvas = Canvas(width: 5, height: 9, filledWith: 3)
    canvas.blur(sigma: 4)
    #expect(canvas.values.allSatisfy { abs($0 - 3) < 1e-5 })
  }

  @Test func strokeHasTheAskedHeightAlongItsRidgeAndNoneBeside() {
    var canvas = Canvas(width: 60, height: 21)
    canvas.addStroke(through: [Point(x: 5, y: 10), Point(x: 55, y: 10)], sigma: 1.5, amplitude: 2)
    for x in 15...45 { #expect(abs(canvas[x, 10] - 2) < 0.06) }
    #expect(canvas[30, 0] == 0)
  }

  @Test(arguments: [Point(x: -50, y: 2), Point(x: 2, y: -50), Point(x: 90, y: 2), Point(x: 2, y: 90)])
  func spotOutsideTheCanvasLeavesItAlone(center: Point) {
    var canvas = Canvas(width: 8, height: 8)
    canvas.addSpot(at: center, sigma: 2, amplitude: 1)
    #expect(canvas.values.allSatisfy { $0 == 0 })
  }

  @Test func cloudHasMeanZeroAndUnitDeviation() {
    var generator = SeededGenerator(seed: 3)
    let cloud = Canvas.cloud(width: 120, height: 120, sigma: 1.5, using: &generator)
    let count = Float(cloud.values.count)
    let mean = cloud.values.reduce(0, +) / count
    let deviation = (cloud.values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
    #expect(abs(mean) < 0.1)
    #expect(abs(deviation - 1) < 0.1)
  }
}
