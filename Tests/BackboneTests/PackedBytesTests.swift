import Formats
import Identity
import Kernels
import TestSupport
import Testing

@testable import Backbone

/// What is in users' caches must be what this program would pack: whoever changes how weights are packed has to raise
/// the version, so that older files count as absent.
@Suite struct PackedBytesTests {
  /// The version whose bytes the digests below are of.
  private static let version: UInt32 = 1

  /// Digests by instruction set, whose panels are as wide as its registers, and precision.
  private static let digests: [String: [Precision: String]] = [
    "portable": [
      .float32: "7a33d97b542353eb25ec9eefcdb72a3a", .bfloat16: "c749ed812478c6bd21ccf8fb679495dd",
      .int8: "d037a774e6fe8e982c6f352677840650",
    ],
    "avx2": [
      .float32: "303d709354b7b4955c0f1f7466044ac0", .bfloat16: "2d3cd2f9dfec331c30c116ed2db5c330",
      .int8: "5f48b8910545185a9399995869cd0989",
    ],
    "avx512": wide, "avx512-vnni": wide, "avx512-bf16": kernels_bf16_pays() ? wideRounded : wide,
    "amx": wideRounded,
  ]

  private static let wide: [Precision: String] = [
    .float32: "71cfa67cc01d7cc36ea580821b795e1c", .bfloat16: "076cb609b23ac0bd355f14075e7fe9f0",
    .int8: "c9307eb613d76c0c9e8544f97989ca84",
  ]

  /// Of int8, patches are in the fastest of the other precisions.
  private static let wideRounded = wide.merging([.int8: "2a4763f022259174dee29b4c6035d1a3"]) { $1 }

  /// Models with every kind of array but periods, which come from the system's `pow`.
  private static let folders = ["dinov2-swiglu", "huggingface-dinov2-registers", "subcell"]

  /// Takes arrays up into a digest.
  private struct Target: PackedWeightsTarget, ~Copyable {
    var hasher = ContentHasher()
    /// What memory holds before it is written to, of which nothing may be left.
    let filler: UInt8

    mutating func add(
      _ name: String, byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws {
      let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
      defer { bytes.deallocate() }
      bytes.initializeMemory(as: UInt8.self, repeating: filler)
      try fill(bytes)
      hasher.combine("\(name) \(byteCount)")
      hasher.combine(UnsafeRawBufferPointer(bytes))
    }

    consuming func finish() -> ContentHash { hasher.finalize() }
  }

  /// What calibration might have found, in numbers that are the same everywhere: the statistics of a real run differ in
  /// their last bits between instruction sets.
  private static func smoothing(of checkpoint: ViTCheckpoint) throws -> SmoothQuantization {
    let geometry = checkpoint.geometry
    let block = ProductInput.allCases.map { input in
      let width = input == .hidden ? geometry.mlpWidth : geometry.width
      var statistics = ActivationStatistics(width: width)
      for token in 0..<2 {
        statistics.add((0..<width).map { Float(($0 * 7 + token * 3 + input.rawValue) % 13 - 5) / 4 })
      }
      return statistics
    }
    return try SmoothQuantization(checkpoint, statistics: Array(repeating: block, count: geometry.depth))
  }

  @Test(arguments: [Precision.float32, .bfloat16, .int8], [0, 0xFF] as [UInt8])
  func bytesAreThoseOfTheVersion(precision: Precision, filler: UInt8) throws {
    let isa = String(cString: kernels_isa_name(kernels_active_isa()))
    var target = Target(filler: filler)
    for folder in Self.folders {
      let fixture = try FamilyFixture.named(folder)
      let checkpoint = try ViTCheckpoint(
        SafetensorsFile(path: fixture.path), configuration: fixture.configuration())
      let smoothing = precision == .int8 ? try Self.smoothing(of: checkpoint) : nil
      try ViTWeights.pack(checkpoint, precision: precision, smoothing: smoothing, into: &target)
    }
    let found = target.finish().description
    #expect(
      PackedWeightsLayout.version == Self.version && found == Self.digests[isa]?[precision],
      "other bytes on \(isa), \(found): raise PackedWeightsLayout.version, and write down what they are")
  }

  /// A model is calibrated on these images: other ones would give other bytes for the same weights.
  @Test func trialImagesAreThoseOfTheVersion() {
    let images = TrialImages(count: 3, channels: 2, sidePx: 24, kinds: TrialImages.Kind.allCases, seed: 1)
    let found = images.pixels.withUnsafeBytes { ContentHash(of: $0) }.description
    #expect(
      PackedWeightsLayout.version == Self.version && found == "43efd5f19254b70e36520460481614d8",
      "other images, \(found): raise PackedWeightsLayout.version, and write down what they are")
  }
}
