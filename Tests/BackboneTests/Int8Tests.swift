import Faults
import Formats
import TestSupport
import Testing

@testable import Backbone

@Suite struct Int8Tests {
  /// Made-up models of 32 components: few numbers, so that rounding is less of a mean than in real ones.
  @Test(arguments: FamilyFixture.all)
  func vectorsOfEveryFamilyLieNearThoseOfFloat32(fixture: FamilyFixture) throws {
    let model = try VisionTransformer(path: fixture.path, precision: .int8)
    let reference = try VisionTransformer(path: fixture.path)
    let (count, side) = (8, 16)
    let images = TrialImages(
      count: count, channels: model.geometry.inputChannels, sidePx: side, kinds: [.different], seed: 9)
    for pooling in model.poolings {
      func vectors(_ model: VisionTransformer) throws -> [Float] {
        try model.embed(images.pixels, count: count, height: side, width: side, pooling: pooling)
      }
      let cosines = Int8SelfTest.centredCosines(try vectors(reference), try vectors(model), count: count)
      #expect(cosines.allSatisfy { $0 > 0.99 }, "\(pooling.rawValue) \(cosines)")
      #expect(cosines.contains { $0 < 0.999_999 }, "these are not of 8 bits")
    }
  }

  @Test func anEmbeddingDoesNotDependOnBatchOrThreads() throws {
    try withInt8Model(.tiny(inputChannels: 1)) { model, _ in
      let (count, side) = (5, 80)
      let images = noise(count * side * side)
      let together = try model.embed(images, count: count, height: side, width: side)
      for threads in [2, 3, 16] {
        #expect(
          try model.embed(images, count: count, height: side, width: side, threads: threads) == together)
      }
      let alone = try model.embed(
        Array(images[..<(side * side)]), count: 1, height: side, width: side, threads: 2)
      #expect(alone == Array(together[..<16]))
    }
  }

  @Test func aModelIsCalibratedTheSameEveryTime() throws {
    try withInt8Model { model, path in
      let images = noise(2 * 144)
      let again = try VisionTransformer(path: path, precision: .int8)
      #expect(
        try again.embed(images, count: 1, height: 12, width: 12)
          == model.embed(images, count: 1, height: 12, width: 12))
    }
  }

  @Test func anImageThatIsNotFiniteGivesAVectorOfNaN() throws {
    try withInt8Model { model, _ in
      var images = noise(2 * 2 * 144)
      images[300] = .nan
      let vectors = try model.embed(images, count: 2, height: 12, width: 12)
      #expect(vectors[..<16].allSatisfy { $0.isFinite } && vectors[16...].allSatisfy { $0.isNaN })
    }
  }

  /// An input of each product is made 256 times as large, and its weights as small: the same model, of which one step
  /// for a token leaves nothing unless the ranges are shared out.
  @Test(arguments: [ViTGeometry.MLPKind.gelu, .swiglu])
  func largeInputsDoNotDrownTheOthers(mlp: ViTGeometry.MLPKind) throws {
    try withTemporaryDirectory { folder in
      let (plain, uneven) = (folder + "/plain.safetensors", folder + "/uneven.safetensors")
      try VisionTransformer.writeSeeded(geometry: .tiny(width: 32, heads: 2, mlp: mlp), seed: 1, to: plain)
      try writeUneven(SafetensorsFile(path: plain), factor: 256, mlp: mlp, to: uneven)
      let images = TrialImages(count: 8, channels: 2, sidePx: 12, kinds: [.different], seed: 5)
      func vectors(_ path: String, _ precision: Precision) throws -> [Float] {
        try VisionTransformer(path: path, precision: precision)
          .embed(images.pixels, count: 8, height: 12, width: 12)
      }
      let reference = try vectors(plain, .float32)
      #expect(largestDifference(try vectors(uneven, .float32), reference) < 1e-3)
      let cosines = Int8SelfTest.centredCosines(reference, try vectors(uneven, .int8), count: 8)
      #expect(cosines.allSatisfy { $0 > 0.99 }, "\(cosines)")
    }
  }
}

@Suite struct Int8SelfTestTests {
  @Test func aModelThatLosesTooMuchIsRefused() throws {
    let fault = #expect(throws: Fault.self) {
      try Int8SelfTest(medianCosines: [.classToken: 0.995, .meanOfPatches: 0.912_345]).check(model: "m")
    }
    #expect(
      fault?.description
        == "--precision int8, model m: expected vectors (pooling mean) of a centred cosine of at least 0.98 to "
        + "those of float32, found 0.9123 on made-up images; use --precision bfloat16")
    #expect(throws: Fault.self) { try Int8SelfTest(medianCosines: [.classToken: .nan]).check(model: "m") }
    try Int8SelfTest(medianCosines: [.classToken: 0.98, .meanOfPatches: 1]).check(model: "m")
  }

  @Test func whatAllReferencesShareIsTakenAway() {
    let reference: [Float] = [101, 100, 99, 100, 100, 101, 100, 99]
    let turned: [Float] = [100, 101, 100, 99, 99, 100, 101, 100]
    #expect(Int8SelfTest.centredCosines(reference, reference, count: 4).allSatisfy { abs($0 - 1) < 1e-12 })
    #expect(Int8SelfTest.centredCosines(reference, turned, count: 4).allSatisfy { abs($0) < 1e-12 })
  }

  @Test func trialImagesAreStandardised() {
    let images = TrialImages(
      count: 6, channels: 2, sidePx: 24, kinds: TrialImages.Kind.allCases, seed: 3)
    let plane = 24 * 24
    func channel(_ image: Int, _ channel: Int) -> ArraySlice<Float> {
      images.pixels[(2 * image + channel) * plane..<(2 * image + channel + 1) * plane]
    }
    let first = channel(0, 1)
    #expect(abs(first.reduce(0, +)) < 0.01)
    #expect(abs(first.reduce(0) { $0 + $1 * $1 } / Float(plane) - 1) < 1e-3)
    #expect(!channel(0, 0).elementsEqual(channel(0, 1)))
    #expect(channel(1, 0).elementsEqual(channel(1, 1)))
    #expect(channel(2, 1).allSatisfy { $0 == 0 } && channel(5, 0).allSatisfy { $0 == 0 })
    #expect(!channel(0, 0).elementsEqual(channel(3, 0)))
  }
}

/// Calls `body` with a model of random weights in int8, and its file.
private func withInt8Model(
  _ geometry: ViTGeometry = .tiny(), _ body: (VisionTransformer, String) throws -> Void
) throws {
  try withTemporaryDirectory { folder in
    let path = folder + "/tiny.safetensors"
    try VisionTransformer.writeSeeded(geometry: geometry, seed: 1, to: path)
    try body(VisionTransformer(path: path, precision: .int8), path)
  }
}

/// Writes the same model with component 3 of each norm, value 5 of all heads' values, and of SwiGLU the gated part of
/// hidden unit 7 multiplied by a factor, and what reads them divided.
private func writeUneven(
  _ file: SafetensorsFile, factor: Float, mlp: ViTGeometry.MLPKind, to path: String
) throws {
  func scaleRow(_ values: inout [Float], _ row: Int, of width: Int, by factor: Float) {
    for index in row * width..<(row + 1) * width { values[index] *= factor }
  }
  func scaleColumn(_ values: inout [Float], _ column: Int, of width: Int, by factor: Float) {
    for index in stride(from: column, to: values.count, by: width) { values[index] *= factor }
  }
  let (first, last) = (mlp.tensorNames.first, mlp.tensorNames.last)
  let tensors = try file.tensorNames.sorted().map { name in
    let shape = file.shape(of: name) ?? []
    var values = try file.floats(of: name)
    let width = shape.last ?? 1
    let isOfBlock = name.hasPrefix("blocks.")
    if isOfBlock, name.contains("norm") { values[3] *= factor }
    if name.hasSuffix("attn.qkv.weight") {
      scaleColumn(&values, 3, of: width, by: 1 / factor)
      scaleRow(&values, 2 * width + 5, of: width, by: factor)
    }
    if name.hasSuffix("attn.qkv.bias") { values[2 * width / 3 + 5] *= factor }
    if name.hasSuffix("attn.proj.weight") { scaleColumn(&values, 5, of: width, by: 1 / factor) }
    // The GELU is no linear function: hidden units of it stay.
    let gated = mlp == .swiglu ? (shape.first ?? 0) / 2 + 7 : nil
    if name.hasSuffix("\(first).weight") {
      scaleColumn(&values, 3, of: width, by: 1 / factor)
      if let gated { scaleRow(&values, gated, of: width, by: factor) }
    }
    if name.hasSuffix("\(first).bias"), let gated { values[gated] *= factor }
    if name.hasSuffix("\(last).weight"), gated != nil { scaleColumn(&values, 7, of: width, by: 1 / factor) }
    return (name, shape, values)
  }
  try write(SafetensorsFile.encode(tensors: tensors, metadata: file.metadata), to: path)
}
