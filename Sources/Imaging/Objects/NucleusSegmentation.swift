/// Finds nuclei in a plane that shows them bright on dark.
///
/// 1. After a blur that depends on the noise, Otsu's threshold on square roots (which even out bright and dim
///    nuclei) separates nuclei from background, if there is anything to separate.
/// 2. A pixel must also be brighter than its surroundings two nuclei wide: this follows uneven illumination
///    and opens the gaps of crowded places. Small holes are filled.
/// 3. Distance to the edge times brightness is a landscape with a summit for each nucleus; a watershed cuts
///    between the summits.
/// 4. What is less than a third as bright as its nucleus' top is trimmed, specks are removed.
///
/// Lengths in these steps are shares of the typical diameter. The constants were chosen on the fluorescence images
/// of the 2018 Data Science Bowl (stage 1), where RealImageTests measures the agreement.
package struct NucleusSegmentation: Sendable, Codable, Equatable {
  /// Typical diameter of a nucleus, pixels; 0 estimates it from each image.
  package var diameterPx: Double

  package init(diameterPx: Double = 0) {
    self.diameterPx = diameterPx
  }

  /// Memory that `segment` takes beside the plane: its largest arrays at a time come to 34.4 bytes a pixel (what the address
  /// space of `crops --cells nuclei` grows by for 3000 x 3000 pixels, be nuclei a quarter of them or nearly all).
  static let bytesPerPixel = 36

  /// The nuclei, numbered from 1 in the order in which a scan by rows meets them. An image without contrast has
  /// none.
  package func segment(_ plane: Plane) -> LabelImage {
    guard var field = NucleusField(plane) else {
      let labels = [UInt32](repeating: 0, count: plane.pixels.count)
      return LabelImage(width: plane.width, height: plane.height, labels: labels)
    }
    let longestSide = Double(max(plane.width, plane.height))
    var diameter = diameterPx > 0 ? min(max(diameterPx, 1), longestSide) : field.typicalDiameter()
    // The first estimate takes clumps for nuclei; in a narrower window they fall apart.
    for _ in 0..<(diameterPx > 0 ? 1 : 3) {
      field.keepLocallyBright(diameter: diameter)
      if diameterPx <= 0 { diameter = field.typicalDiameter() }
    }
    return field.nuclei(diameter: diameter)
  }
}

/// Brightness of background and nuclei in one image.
private struct Levels {
  let background: Float
  /// No pixel of a nucleus is darker.
  let floor: Float

  /// Nil when nothing stands out: the classes that Otsu finds in noise alone lie 2.7 standard deviations of
  /// the darker one apart. Nil too for numbers so large that their products overflow.
  init?(of smoothed: [Float]) {
    guard let low = smoothed.min(), smoothed.allSatisfy({ abs($0) < 1e30 }) else { return nil }
    let roots = smoothed.map { ($0 - low).squareRoot() }
    guard let threshold = otsuThreshold(roots) else { return nil }
    var dark = Moments()
    var bright = Moments()
    for root in roots {
      if root > threshold { bright.add(root) } else { dark.add(root) }
    }
    guard bright.mean - dark.mean > 3.5 * dark.deviation else { return nil }
    background = low + Float(dark.mean * dark.mean)
    floor = low + threshold * threshold
  }
}

private struct Moments {
  private var count = 0.0
  private var sum = 0.0
  private var squares = 0.0

  mutating func add(_ value: Float) {
    count += 1
    sum += Double(value)
    squares += Double(value) * Double(value)
  }

  var mean: Double { sum / max(count, 1) }
  var deviation: Double { max(0, squares / max(count, 1) - mean * mean).squareRoot() }
}

/// An image on its way to nuclei. Brightness is counted from the background up.
private struct NucleusField {
  private let width: Int
  private let height: Int
  private let pixels: [Float]
  /// Blurred as much as the size of the nuclei allows.
  private var smoothed: [Float]
  /// Standard deviation of the blur that the image's noise asks for.
  private let blur: Double
  /// No pixel of a nucleus is darker.
  private let floor: Float
  /// Brighter than the floor.
  private var isBright: [Bool]
  /// Taken for nuclei.
  private var mask: [Bool]
  private var distance: [Float] = []

  /// The most pixels of a hole that is part of a nucleus, such as a nucleolus: a fifth of its area.
  private static func largestHole(_ diameter: Double) -> Int { Int(0.15 * diameter * diameter) }

  /// Nil when nothing stands out of the background.
  init?(_ plane: Plane) {
    width = plane.width
    height = plane.height
    var blurred = gaussianSmoothed(plane.pixels, width: width, height: height, sigma: 1)
    guard var levels = Levels(of: blurred) else { return nil }
    // Photon noise breaks nuclei into pieces; 0.1 to 0.2 is usual, a blur of 3 pixels is what small nuclei bear.
    blur = min(max(1, 6 * Self.grain(of: plane.pixels, smoothed: blurred, levels: levels)), 3)
    if blur > 1 {
      blurred = gaussianSmoothed(plane.pixels, width: width, height: height, sigma: blur)
      guard let clearer = Levels(of: blurred) else { return nil }
      levels = clearer
    }
    pixels = plane.pixels.map { $0 - levels.background }
    smoothed = blurred.map { $0 - levels.background }
    let floor = levels.floor - levels.background
    self.floor = floor
    isBright = smoothed.map { $0 > floor }
    mask = isBright
    closeMask(largestHole: 200)
  }

  /// How much neighbouring pixels of nuclei differ, as a share of their brightness.
  private static func grain(of pixels: [Float], smoothed: [Float], levels: Levels) -> Double {
    var noise = Moments()
    var brightness = Moments()
    for index in pixels.indices where smoothed[index] > levels.floor {
      noise.add(pixels[index] - smoothed[index])
      brightness.add(smoothed[index] - levels.background)
    }
    return noise.deviation / brightness.mean
  }

  private mutating func closeMask(largestHole: Int) {
    fillHoles(&mask, width: width, height: height, largest: largestHole)
    distance = distances(in: mask, width: width, height: height)
    // A mask without outside is infinitely deep.
    let limit = Float(max(width, height))
    for index in distance.indices { distance[index] = min(distance[index], limit) }
  }

  /// Twice the depth of the basins in which half of all depth squared lies: specks count little.
  func typicalDiameter() -> Double {
    let depths = summits(of: distance, in: watershed(distance, width: width, height: height, dynamics: 0.3))
      .filter { $0 > 1.5 }.sorted()
    var rest = depths.reduce(0) { $0 + $1 * $1 } / 2
    for depth in depths {
      rest -= depth * depth
      if rest <= 0 { return Double(2 * depth) }
    }
    return 10
  }

  mutating func keepLocallyBright(diameter: Double) {
    // A wider window would not follow the illumination, whatever the estimate says.
    let radius = max(1, min(Int(diameter), max(width, height) / 8))
    let surroundings = localMean(pixels, width: width, height: height, radius: radius)
    smoothed = gaussianSmoothed(pixels, width: width, height: height, sigma: max(blur, 0.05 * diameter))
    for index in mask.indices {
      isBright[index] = smoothed[index] > floor
      mask[index] = isBright[index] && smoothed[index] > surroundings[index]
    }
    closeMask(largestHole: Self.largestHole(diameter))
  }

  func nuclei(diameter: Double) -> LabelImage {
    let brightness = gaussianSmoothed(pixels, width: width, height: height, sigma: 0.12 * diameter)
    let depth = gaussianSmoothed(distance, width: width, height: height, sigma: 0.06 * diameter)
    let top = brightness.max() ?? 0
    var landscape = [Float](repeating: 0, count: pixels.count)
    for index in landscape.indices where mask[index] || isBright[index] {
      // A blur may sink below the background at the edge of a nucleus.
      let contrast = max(brightness[index], 1e-3 * floor)
      // The rim that only the floor lets in is flooded last, from the bright side outwards.
      landscape[index] = mask[index] ? 0.01 * top + max(depth[index], 1e-3) * contrast : 0.01 * contrast
    }
    let basins = watershed(landscape, width: width, height: height, dynamics: 0.1)
    let tops = summits(of: brightness, in: basins)
    var kept = basins.indices.map { basins[$0] > 0 && smoothed[$0] > 0.35 * tops[Int(basins[$0])] }
    fillHoles(&kept, width: width, height: height, largest: Self.largestHole(diameter))
    let trimmed = basins.indices.map { kept[$0] ? basins[$0] : 0 }
    return numbered(trimmed, basinCount: tops.count, smallestArea: 0.08 * diameter * diameter)
  }

  /// The highest value in each basin, by its number; 0 for numbers not in use.
  private func summits(of values: [Float], in basins: [Int32]) -> [Float] {
    var summits = [Float](repeating: 0, count: Int(basins.max() ?? 0) + 1)
    for index in basins.indices where basins[index] != 0 {
      summits[Int(basins[index])] = max(summits[Int(basins[index])], values[index])
    }
    return summits
  }

  /// Numbers the basins in scan order, without those of too few pixels.
  private func numbered(_ basins: [Int32], basinCount: Int, smallestArea: Double) -> LabelImage {
    var areas = [Int](repeating: 0, count: basinCount)
    for basin in basins { areas[Int(basin)] += 1 }
    var numbers = [UInt32](repeating: 0, count: basinCount)
    var last: UInt32 = 0
    let labels = basins.map { basin -> UInt32 in
      let basin = Int(basin)
      if basin == 0 || Double(areas[basin]) < smallestArea { return 0 }
      if numbers[basin] == 0 {
        last += 1
        numbers[basin] = last
      }
      return numbers[basin]
    }
    return LabelImage(width: width, height: height, labels: labels)
  }
}
