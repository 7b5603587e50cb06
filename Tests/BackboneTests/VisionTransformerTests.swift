import Faults
import Formats
import TestSupport
import Testing

@testable import Backbone

@Suite struct VisionTransformerTests {
  @Test(
    arguments: [
      ViTGeometry.tiny(), .tiny(width: 24, depth: 1, heads: 3, inputChannels: 1),
      .tiny(depth: 3, heads: 1, inputChannels: 3, layerScale: true),
    ])
  func equalsThePlainTransformer(geometry: ViTGeometry) throws {
    try withTemporaryDirectory { folder in
      let path = folder + "/model.safetensors"
      try VisionTransformer.writeSeeded(geometry: geometry, seed: 7, to: path)
      let side = 12
      let pixels = noise(geometry.inputChannels * side * side)
      let image = (0..<geometry.inputChannels).map { channel in
        (0..<side).map { row in (0..<side).map { Double(pixels[(channel * side + row) * side + $0]) } }
      }
      let expected = try PlainViT(path: path).embed(image).map { Float($0) }
      let found = try VisionTransformer(path: path).embed(pixels, count: 1, height: side, width: side)
      #expect(largestDifference(found, expected) <= 5e-6)
    }
  }

  @Test func anEmbeddingDoesNotDependOnBatchOrThreads() throws {
    // 400 patches: more than a strip of 256 tokens.
    let geometry = ViTGeometry.tiny(inputChannels: 1)
    try withSeededModel(geometry) { model in
      let (count, side) = (7, 80)
      let images = noise(count * side * side)
      let together = try model.embed(images, count: count, height: side, width: side)
      for threads in [2, 3, 16] {
        #expect(
          try model.embed(images, count: count, height: side, width: side, threads: threads) == together)
      }
      for image in 0..<count {
        let alone = try model.embed(
          Array(images[image * side * side..<(image + 1) * side * side]), count: 1, height: side, width: side,
          threads: 2)
        #expect(alone == Array(together[image * geometry.width..<(image + 1) * geometry.width]))
      }
    }
  }

  @Test func onlyWholePatchesAreLookedAt() throws {
    try withSeededModel(.tiny(inputChannels: 1)) { model in
      let pixels = noise(14 * 14)
      var changed = pixels
      for row in 0..<14 { changed[row * 14 + 12] = 9 }
      for column in 0..<14 { changed[13 * 14 + column] = 9 }
      let found = try model.embed(pixels, count: 1, height: 14, width: 14)
      #expect(try model.embed(changed, count: 1, height: 14, width: 14) == found)
    }
  }

  @Test func differentImagesHaveDifferentEmbeddings() throws {
    try withSeededModel { model in
      let vectors = try model.embed(noise(2 * 2 * 144), count: 2, height: 12, width: 12)
      #expect(largestDifference(Array(vectors[..<16]), Array(vectors[16...])) > 0.1)
    }
  }

  @Test func noImagesAreNoVectors() throws {
    try withSeededModel { model in
      let vectors = try model.embed([], count: 0, height: 12, width: 12)
      #expect(vectors.isEmpty)
    }
  }

  @Test(arguments: [(3, 12), (12, 3), (0, 0)])
  func aCropSmallerThanAPatchIsAFault(height: Int, width: Int) throws {
    try withSeededModel { model in
      let fault = #expect(throws: Fault.self) {
        try model.embed(noise(2 * height * width), count: 1, height: height, width: width)
      }
      #expect(fault?.kind == .usage)
      #expect(fault?.description.contains("smaller than the model's patch of 4 px") == true)
    }
  }

  @Test func tooManyPatchesAreAFault() throws {
    try withSeededModel { model in
      let fault = #expect(throws: Fault.self) {
        try model.embed([], count: 0, height: 1_000_000, width: 1_000_000)
      }
      #expect(fault?.kind == .usage)
      #expect(fault?.problem == "expected at most 16384 patches of 4 px, found 250000 x 250000")
    }
  }

  @Test func theHashIsThatOfTheFile() throws {
    // xxhash.xxh3_128(open(...,"rb").read()).hexdigest()
    let model = try VisionTransformer(path: fixturePath("backbone/one_input.safetensors"))
    #expect("\(model.hash)" == "30f7b4d4072c4aa057ec6c770bef3734")
  }
}

@Suite struct SeededWeightsTests {
  @Test func theSameSeedGivesTheSameBytes() throws {
    try withTemporaryDirectory { folder in
      func bytes(_ seed: UInt64) throws -> [UInt8] {
        let path = folder + "/\(seed).safetensors"
        try VisionTransformer.writeSeeded(geometry: .tiny(), inputRoles: ["a", "b"], seed: seed, to: path)
        return try SafetensorsFile(path: path).files[0].bytes.withUnsafeBytes { Array($0) }
      }
      let first = try bytes(1)
      #expect(try bytes(1) == first)
      #expect(try bytes(2) != first)
    }
  }

  @Test(arguments: [ViTGeometry.tiny(), .tiny(layerScale: true, registers: 4), .tiny(mlp: .swiglu)])
  func geometryAndRolesReadBack(geometry: ViTGeometry) throws {
    try withSeededModel(geometry, inputRoles: ["nucleus", "protein"]) { model in
      #expect(model.geometry == geometry)
      #expect(model.inputRoles == ["nucleus", "protein"])
    }
  }

  @Test func weightsHaveTheVarianceThatTheirInputsAskFor() throws {
    try withTemporaryDirectory { folder in
      let path = folder + "/w.safetensors"
      try VisionTransformer.writeSeeded(geometry: .tiny(width: 64), seed: 3, to: path)
      let weights = try SafetensorsFile(path: path).floats(of: "blocks.0.attn.qkv.weight")
      let mean = weights.reduce(0, +) / Float(weights.count)
      let variance = weights.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Float(weights.count)
      #expect(abs(mean) < 0.005)
      #expect(abs(variance * 64 - 1) < 0.05)
    }
  }

  @Test func aFolderThatIsNotThereIsAFault() {
    let fault = #expect(throws: Fault.self) {
      try VisionTransformer.writeSeeded(geometry: .tiny(), seed: 1, to: "/nowhere/w.safetensors")
    }
    #expect(fault?.kind == .cannotCreate)
    #expect(fault?.subject == "/nowhere/w.safetensors")
  }
}
