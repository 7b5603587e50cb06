import Glibc
import Imaging
import Randomness

/// A gray image of floats, row-major, on which cells are drawn before the camera sees them.
///
/// - Shape: [height, width]; the centre of pixel (column, row) lies at (column, row).
struct Canvas {
  let width: Int
  let height: Int
  var values: [Float]

  init(width: Int, height: Int, filledWith value: Float = 0) {
    self.width = width
    self.height = height
    values = [Float](repeating: value, count: width * height)
  }

  subscript(x: Int, y: Int) -> Float {
    get { values[y * width + x] }
    set { values[y * width + x] = newValue }
  }

  /// The value of the nearest pixel; nil outside the canvas.
  func value(at point: Point) -> Float? {
    guard let x = Int(exactly: point.x.rounded()), let y = Int(exactly: point.y.rounded()),
      x >= 0, y >= 0, x < width, y < height
    else { return nil }
    return self[x, y]
  }

  /// Adds a round Gaussian spot with the given value at its centre.
  mutating func addSpot(at center: Point, sigma: Double, amplitude: Float) {
    let reach = 3 * sigma
    let left = max(0, Int((center.x - reach).rounded(.up)))
    let right = min(width - 1, Int((center.x + reach).rounded(.down)))
    let top = max(0, Int((center.y - reach).rounded(.up)))
    let bottom = min(height - 1, Int((center.y + reach).rounded(.down)))
    guard left <= right, top <= bottom else { return }
    let falloff = -1 / (2 * sigma * sigma)
    values.withUnsafeMutableBufferPointer { values in
      for y in top...bottom {
        let dy = Double(y) - center.y
        for x in left...right {
          let dx = Double(x) - center.x
          values[y * width + x] += amplitude * Float(exp(falloff * (dx * dx + dy * dy)))
        }
      }
    }
  }

  /// Adds a brush stroke through the points: its ridge has the given value, its profile is Gaussian.
  mutating func addStroke(through points: [Point], sigma: Double, amplitude: Float) {
    // Spots `spacing` apart along a line add up to sqrt(2 pi) sigma / spacing times one spot's height.
    let spacing = 0.75 * sigma
    let spot = amplitude * Float(spacing / ((2 * Double.pi).squareRoot() * sigma))
    for (start, end) in zip(points, points.dropFirst()) {
      let length = start.distance(to: end)
      let count = max(1, Int((length / spacing).rounded()))
      for step in 0..<count {
        let along = (Double(step) + 0.5) / Double(count)
        let center = Point(x: start.x + along * (end.x - start.x), y: start.y + along * (end.y - start.y))
        addSpot(at: center, sigma: sigma, amplitude: spot * Float(length / spacing) / Float(count))
      }
    }
  }

  /// Convolves with a round Gaussian; the image is continued beyond its border by the border's own pixels.
  mutating func blur(sigma: Double) {
    values = gaussianSmoothed(values, width: width, height: height, sigma: sigma)
  }

  /// Smooth random unevenness: mean 0, standard deviation about 1, features about 2 sigma across.
  static func cloud(
    width: Int, height: Int, sigma: Double, using generator: inout SeededGenerator
  ) -> Canvas {
    var canvas = Canvas(width: width, height: height)
    // White noise of variance 1/12 keeps 1/(4 pi sigma^2) of it through the blur.
    let gain = (12 * 4 * Double.pi * sigma * sigma).squareRoot()
    for index in canvas.values.indices {
      canvas.values[index] = Float(gain * (generator.uniform() - 0.5))
    }
    canvas.blur(sigma: sigma)
    return canvas
  }
}

/// A place in an image, in pixels.
struct Point: Equatable {
  var x: Double
  var y: Double

  func distance(to other: Point) -> Double { hypot(other.x - x, other.y - y) }

  /// The place `distance` away in the direction of `angle` (radians, towards growing y).
  func moved(_ distance: Double, towards angle: Double) -> Point {
    Point(x: x + distance * cos(angle), y: y + distance * sin(angle))
  }
}
