/// The number type in which a file stores the samples of a plane.
package enum SampleType: String, Sendable, CaseIterable {
  case uint8
  case uint16
  case float32

  /// The largest value that a detector can have saved; 1 for floats, which are taken as they are.
  package var fullScale: Float {
    switch self {
    case .uint8: 255
    case .uint16: 65535
    case .float32: 1
    }
  }
}

/// One channel of one field of view: the numbers that the file stores, unchanged.
///
/// No gamma, no linearisation, no scaling: a `uint16` sample of 4711 is 4711. A palette image gives its
/// indices, a 1-bit PNG zeros and ones.
/// - Shape: [height, width], row-major.
package struct Plane: Sendable, Equatable {
  package let width: Int
  package let height: Int
  package let sampleType: SampleType
  package let pixels: [Float]

  package init(width: Int, height: Int, sampleType: SampleType, pixels: [Float]) {
    precondition(width > 0 && height > 0 && pixels.count == width * height)
    self.width = width
    self.height = height
    self.sampleType = sampleType
    self.pixels = pixels
  }
}

extension Plane: CustomStringConvertible {
  /// Size and sample type: "640x480 uint16".
  package var description: String { "\(width)x\(height) \(sampleType)" }
}
