import FoundationEssentials
import Identity
import Imaging
import TestSupport

/// What a fixture's plane must decode to, as the script that wrote it says.
struct ExpectedPlane: Decodable, Equatable {
  let width: Int
  let height: Int
  let sampleType: String
  /// XXH3-128 of the pixels as little-endian float32.
  let digest: String
}

extension ExpectedPlane {
  init(_ plane: Plane) {
    width = plane.width
    height = plane.height
    sampleType = plane.sampleType.rawValue
    digest = plane.pixels.withUnsafeBytes { ContentHash(of: $0).description }
  }
}

/// The readable image files among the fixtures, with their planes.
let expectedPlanes: [String: [ExpectedPlane]] = {
  let json = FileManager.default.contents(atPath: imagePath("planes.json")) ?? Data()
  return (try? JSONDecoder().decode([String: [ExpectedPlane]].self, from: json)) ?? [:]
}()

func imagePath(_ name: String) -> String { fixturePath("imaging/\(name)") }

/// A file of little-endian float32 numbers.
func floats(inFixture name: String) -> [Float] {
  let data = [UInt8](FileManager.default.contents(atPath: imagePath(name)) ?? Data())
  return data.withUnsafeBytes { bytes in
    (0..<bytes.count / 4).map {
      Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
    }
  }
}

/// A plane of 8-bit samples from rows of numbers.
func plane(_ rows: [[Float]], _ sampleType: SampleType = .uint8) -> Plane {
  Plane(width: rows[0].count, height: rows.count, sampleType: sampleType, pixels: rows.flatMap { $0 })
}

/// A repeatable stream of numbers in 0..<bound, good enough to make test images.
struct TestNumbers {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next(below bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % bound
  }
}
