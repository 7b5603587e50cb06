import Formats
import TestSupport
import Testing

@testable import Backbone

/// Tiny models and what PyTorch computes with them (tools/fixtures/backbone.py).
@Suite struct TorchParityTests {
  /// The largest difference is 2.8e-6 (one_input, 16x17), on embeddings of unit scale.
  private static let bound: Float = 1e-5

  @Test(
    arguments: ["one_input", "two_inputs", "layer_scale", "four_inputs", "registers", "timm_registers"])
  func embeddingsEqualThoseOfTorch(name: String) throws {
    let model = try VisionTransformer(path: fixturePath("backbone/\(name).safetensors"))
    let cases = try SafetensorsFile(path: fixturePath("backbone/\(name).cases.safetensors"))
    let sizes = cases.tensorNames.filter { $0.hasPrefix("input ") }.map { $0.dropFirst("input ".count) }
    #expect(sizes.count >= 2)
    for size in sizes {
      let shape = try #require(cases.shape(of: "input \(size)"))
      let found = try model.embed(
        cases.floats(of: "input \(size)"), count: shape[0], height: shape[2], width: shape[3], threads: 2)
      let difference = largestDifference(found, try cases.floats(of: "output \(size)"))
      #expect(difference <= Self.bound, "\(name) \(size)")
    }
  }

  @Test func geometryIsReadFromShapes() throws {
    let model = try VisionTransformer(path: fixturePath("backbone/layer_scale.safetensors"))
    #expect(
      model.geometry
        == ViTGeometry(
          width: 32, depth: 2, heads: 2, patchSize: 4, inputChannels: 3, gridSize: 4, mlpWidth: 64,
          hasLayerScale: true))
    #expect(model.name == "layer_scale")
    #expect(model.inputRoles == nil)
    #expect(model.ignoredTensors == ["mask_token"])
  }

  @Test func headsAre64WideWhenNobodySaysOtherwise() throws {
    let model = try VisionTransformer(path: fixturePath("backbone/two_inputs.safetensors"))
    #expect(model.geometry.width == 64)
    #expect(model.geometry.heads == 1)
    #expect(model.inputRoles == ["nucleus", "protein"])
  }

  @Test func aTrainingCheckpointLosesItsPrefixesAndProjectionHead() throws {
    let model = try VisionTransformer(path: fixturePath("backbone/four_inputs.safetensors"))
    #expect(model.inputRoles == ["nucleus", "protein", "microtubules", "er"])
    #expect(model.ignoredTensors.count == 8)
    #expect(model.ignoredTensors.allSatisfy { $0.hasPrefix("teacher.module.head.") })
  }

  @Test func timmAndFacebookRegistersDifferInThePositionOfTheClassTokenAlone() throws {
    let facebook = try VisionTransformer(path: fixturePath("backbone/registers.safetensors"))
    let timm = try VisionTransformer(path: fixturePath("backbone/timm_registers.safetensors"))
    #expect(facebook.geometry.tensors().map(\.name) == timm.geometry.tensors().map(\.name))
    #expect(facebook.geometry.registerCount == 3 && timm.geometry.registerCount == 3)
    #expect(facebook.geometry.parameterCount == timm.geometry.parameterCount + timm.geometry.width)
    let file = try SafetensorsFile(path: fixturePath("backbone/timm_registers.safetensors"))
    let stored = file.tensorNames.filter { !timm.ignoredTensors.contains($0) }
    let counts = try stored.map { try #require(file.shape(of: $0)).reduce(1, *) }
    #expect(timm.geometry.parameterCount == counts.reduce(0, +))
  }
}
