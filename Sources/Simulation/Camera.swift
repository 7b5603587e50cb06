import Glibc
import Randomness

/// The way from fluorophores to the numbers in a file: point spread, uneven illumination, shot noise, read
/// noise, offset, 16 bits.
struct Camera {
  /// Standard deviation of the point spread function, in pixels.
  let pointSpread: Double
  /// Digital numbers of a dark pixel.
  static let offset = 400.0
  /// Digital numbers per photon.
  static let gain = 24.0
  /// Standard deviation of a dark pixel, in photons.
  static let readNoise = 1.5
  /// Photons of background in every pixel.
  static let background = 2.0

  /// The illumination is brightest near the middle of the field and falls off smoothly; one microscope, so
  /// the same for all channels of a field.
  private let brightest: Point
  private let falloff: Double

  init(pointSpread: Double, sizePx: Int, using generator: inout SeededGenerator) {
    self.pointSpread = pointSpread
    let size = Double(sizePx)
    brightest = Point(
      x: size * generator.uniform(in: 0.4...0.6), y: size * generator.uniform(in: 0.4...0.6))
    // Between 10 and 28 % are lost half a diagonal away.
    falloff = generator.uniform(in: 0.10...0.28) / (size * size / 2)
  }

  /// Exposes one channel.
  ///
  /// - Parameter photons: photons that each pixel would send without blur under even light.
  func expose(_ photons: Canvas, using generator: inout SeededGenerator) -> [UInt16] {
    var light = photons
    light.blur(sigma: pointSpread)
    return light.values.indices.map { index in
      let dx = Double(index % light.width) - brightest.x
      let dy = Double(index / light.width) - brightest.y
      let illumination = 1 - falloff * (dx * dx + dy * dy)
      let mean = illumination * (Double(light.values[index]) + Self.background)
      let seen = Double(generator.poisson(mean: mean)) + Self.readNoise * generator.normal()
      return UInt16(min(max((Self.offset + Self.gain * seen).rounded(), 0), 65535))
    }
  }
}
