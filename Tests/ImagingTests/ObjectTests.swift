import Faults
import Glibc
import Testing

@testable import Imaging

@Suite struct LabelImageTests {
  @Test func objectsHaveBoxCentroidAreaAndBorder() throws {
    let labels = try LabelImage(
      plane([
        [0, 0, 0, 0, 0],
        [0, 7, 7, 0, 3],
        [0, 7, 0, 0, 3],
        [0, 0, 0, 7, 0],
        [0, 0, 0, 0, 0],
      ]))
    #expect(
      objects(in: labels) == [
        CellObject(
          label: 3, x: 4, y: 1, width: 1, height: 2, centerX: 4, centerY: 1.5, areaPx: 2, touchesBorder: true),
        CellObject(
          label: 7, x: 1, y: 1, width: 3, height: 3, centerX: 1.75, centerY: 1.75, areaPx: 4,
          touchesBorder: false),
      ])
    #expect(objects(in: LabelImage(width: 2, height: 1, labels: [0, 0])).isEmpty)
  }

  @Test(arguments: [-1, 0.5, 16_777_216, 4_294_967_296, 1e30] as [Float])
  func whatIsNoLabelIsAFaultThatSaysWhere(value: Float) throws {
    let fault = try #require(throws: Fault.self) { try LabelImage(plane([[0, 1], [2, value]], .float32)) }
    #expect(fault.kind == .badData)
    #expect(fault.problem.hasSuffix("\(value) at x 1, y 1"))
  }
}

/// Masks and landscapes made of random numbers.
private func noise(_ count: Int, below bound: Int, seed: UInt64 = 5) -> [Int] {
  var numbers = TestNumbers(seed: seed)
  return (0..<count).map { _ in numbers.next(below: bound) }
}

@Suite struct FilterTests {
  @Test(arguments: [(13, 9), (1, 20), (20, 1), (16, 16)])
  func distancesAreThoseOfTryingEveryPixel(width: Int, height: Int) {
    let mask = noise(width * height, below: 8).map { $0 > 0 }
    let found = distances(in: mask, width: width, height: height)
    for index in mask.indices {
      var nearest = Float.infinity
      for other in mask.indices where !mask[other] {
        let dx = Float(other % width - index % width)
        let dy = Float(other / width - index / width)
        nearest = min(nearest, (dx * dx + dy * dy).squareRoot())
      }
      #expect(found[index] == nearest)
    }
  }

  @Test func aMaskWithoutOutsideIsInfinitelyDeep() {
    let found = distances(in: [Bool](repeating: true, count: 12), width: 4, height: 3)
    #expect(found.allSatisfy { $0 == .infinity })
  }

  @Test(arguments: [0.5, 1, 2.5])
  func theBlurIsTheSumOverItsKernel(sigma: Double) {
    let (width, height) = (9, 7)
    let pixels = noise(width * height, below: 1000).map(Float.init)
    let found = gaussianSmoothed(pixels, width: width, height: height, sigma: sigma)
    let radius = Int((3 * sigma).rounded(.up))
    let bell = (-radius...radius).map { exp(-0.5 * Double($0 * $0) / (sigma * sigma)) }
    let total = bell.reduce(0, +)
    for y in 0..<height {
      for x in 0..<width {
        var sum = 0.0
        for dy in -radius...radius {
          for dx in -radius...radius {
            let pixel = pixels[min(max(0, y + dy), height - 1) * width + min(max(0, x + dx), width - 1)]
            sum += Double(pixel) * bell[dy + radius] * bell[dx + radius] / (total * total)
          }
        }
        // Float sums of some tens of terms below 1000.
        #expect(abs(Double(found[y * width + x]) - sum) < 1e-3)
      }
    }
  }

  @Test(arguments: [0, 1, 3, 50])
  func localMeansAreThoseOfTheirSquares(radius: Int) {
    let (width, height) = (8, 5)
    let pixels = noise(width * height, below: 1000).map(Float.init)
    let found = localMean(pixels, width: width, height: height, radius: radius)
    for y in 0..<height {
      for x in 0..<width {
        let rows = max(0, y - radius)...min(height - 1, y + radius)
        let columns = max(0, x - radius)...min(width - 1, x + radius)
        let sum = rows.map { row in columns.map { pixels[row * width + $0] }.reduce(0, +) }.reduce(0, +)
        #expect(abs(found[y * width + x] - sum / Float(rows.count * columns.count)) < 1e-3)
      }
    }
  }

  @Test func otsuSplitsTwoHeaps() throws {
    let low = noise(300, below: 20).map(Float.init)
    let high = noise(40, below: 20).map { Float($0) + 100 }
    let threshold = try #require(otsuThreshold(low + high))
    #expect(threshold > 19 && threshold < 100)
    #expect(otsuThreshold([5, 5, 5]) == nil)
    #expect(otsuThreshold([]) == nil)
  }

  @Test func onlySmallEnclosedHolesAreFilled() {
    let picture = """
      ..........
      .####.###.
      .#..#.#.#.
      .####.##..
      .....#....
      """
    let rows = picture.split(separator: "\n").map(Array.init)
    var mask = rows.flatMap { $0.map { $0 == "#" } }
    let before = mask.count { $0 }
    fillHoles(&mask, width: 10, height: 5, largest: 1)
    #expect(mask.count { $0 } == before + 1)
    #expect(mask[2 * 10 + 7])
    fillHoles(&mask, width: 10, height: 5, largest: 2)
    #expect(mask.count { $0 } == before + 3)
  }
}

@Suite struct WatershedTests {
  @Test func summitsAreCutWhereThePassIsDeepEnough() {
    // Heights 10 and 8 with a pass at 5 between them, then a bump of 8.4 over a pass at 8.
    let ridge: [Float] = [0, 6, 10, 7, 5, 6, 8.4, 8, 8.2, 3, 0]
    let basins = watershed(ridge, width: ridge.count, height: 1, dynamics: 0.1)
    #expect(basins.map { $0 > 0 } == ridge.map { $0 > 0 })
    #expect(Set(basins.filter { $0 > 0 }).count == 2)
    #expect(basins[2] != basins[6])
    #expect(basins[6] == basins[8])
    #expect(Set(watershed(ridge, width: ridge.count, height: 1, dynamics: 0.5).filter { $0 > 0 }).count == 1)
    #expect(Set(watershed(ridge, width: ridge.count, height: 1, dynamics: 0).filter { $0 > 0 }).count == 3)
  }

  @Test func separatePiecesAreSeparateBasins() {
    let basins = watershed([1, 0, 1, 0, 0, 0, 1, 0, 1], width: 3, height: 3, dynamics: 1)
    #expect(Set(basins.filter { $0 > 0 }).count == 4)
    #expect(watershed([0, 0], width: 2, height: 1, dynamics: 0.1) == [0, 0])
  }
}

@Suite struct NucleusSegmentationTests {
  /// Blurred discs of 9 pixels radius on a noisy background.
  private func picture(centers: [(x: Int, y: Int)], size: Int = 120, slope: Float = 0) -> Plane {
    var numbers = TestNumbers(seed: 11)
    var pixels = [Float](repeating: 0, count: size * size)
    for index in pixels.indices {
      pixels[index] = 100 + Float(numbers.next(below: 20)) + slope * Float(index % size)
    }
    for (position, center) in centers.enumerated() where center.x < size && center.y < size {
      for y in max(0, center.y - 9)...min(size - 1, center.y + 9) {
        for x in max(0, center.x - 9)...min(size - 1, center.x + 9) {
          let (dx, dy) = (x - center.x, y - center.y)
          if dx * dx + dy * dy <= 81 { pixels[y * size + x] += 400 + 100 * Float(position % 4) }
        }
      }
    }
    return Plane(width: size, height: size, sampleType: .uint16, pixels: pixels)
  }

  private let centers = [
    (x: 20, y: 12), (x: 60, y: 20), (x: 77, y: 20), (x: 30, y: 50), (x: 100, y: 60), (x: 60, y: 90),
    (x: 60, y: 107),
  ]

  @Test(arguments: [0, 18] as [Double], [0, 2] as [Float])
  func everyNucleusIsFoundOnceAndTouchingOnesAreCut(diameter: Double, slope: Float) {
    let labels = NucleusSegmentation(diameterPx: diameter).segment(picture(centers: centers, slope: slope))
    let found = objects(in: labels)
    #expect(found.count == centers.count)
    for center in centers {
      let label = labels.labels[center.y * 120 + center.x]
      let object = found.first { $0.label == label }
      // 254 pixels; the blur and the cut between neighbours move the edge by less than a pixel.
      #expect(
        object.map { abs($0.centerX - Float(center.x)) < 1.5 && abs($0.centerY - Float(center.y)) < 1.5 }
          == true)
      #expect(object.map { (190...320).contains($0.areaPx) } == true)
    }
  }

  @Test func labelsCountFromOneInScanOrder() {
    let labels = NucleusSegmentation(diameterPx: 18).segment(picture(centers: centers)).labels
    var last: UInt32 = 0
    for label in labels where label > last {
      #expect(label == last + 1)
      last = label
    }
    #expect(last == 7)
  }

  @Test func noiseAndEmptyImagesHaveNoNuclei() {
    for plane in [
      picture(centers: []),
      Plane(width: 5, height: 4, sampleType: .uint8, pixels: [Float](repeating: 9, count: 20)),
      Plane(width: 1, height: 1, sampleType: .uint8, pixels: [3]),
    ] {
      let labels = NucleusSegmentation().segment(plane)
      #expect(labels.labels.allSatisfy { $0 == 0 })
      #expect(labels.width == plane.width && labels.height == plane.height)
    }
  }

  @Test(arguments: [(1, 7), (7, 1), (2, 2), (3, 40)])
  func tinyImagesAreNoTrouble(width: Int, height: Int) {
    let pixels = noise(width * height, below: 2).map { Float($0 * 1000) }
    let plane = Plane(width: width, height: height, sampleType: .float32, pixels: pixels)
    let labels = NucleusSegmentation().segment(plane)
    #expect(labels.labels.count == width * height)
    #expect(NucleusSegmentation(diameterPx: 1e6).segment(plane).labels.count == width * height)
  }

  @Test(arguments: [.leastNonzeroMagnitude, 1e-38, 1e29, 3e38] as [Float])
  func extremeFloatsAreNoTrouble(scale: Float) {
    let pixels = picture(centers: centers, size: 40).pixels.map { $0 > 300 ? scale : $0 > 110 ? 0 : -scale }
    let plane = Plane(width: 40, height: 40, sampleType: .float32, pixels: pixels)
    #expect(NucleusSegmentation().segment(plane).labels.count == 1600)
    #expect(NucleusSegmentation(diameterPx: 1e300).segment(plane).labels.count == 1600)
  }

  @Test func negativeFloatsAreSegmentedAsPositiveOnes() {
    let plane = picture(centers: centers)
    let shifted = Plane(
      width: 120, height: 120, sampleType: .float32, pixels: plane.pixels.map { ($0 - 5000) / 1024 })
    #expect(objects(in: NucleusSegmentation().segment(shifted)).count == centers.count)
  }
}
