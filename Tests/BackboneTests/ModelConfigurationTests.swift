import Faults
import Formats
import Foundation
import TestSupport
import Testing

@testable import Backbone

@Suite struct ModelConfigurationTests {
  /// Calls `body` with the path of a family's model that has this config.json beside it.
  private func withModel<Result>(
    _ folder: String, configuration: String?, _ body: (String) throws -> Result
  ) throws -> Result {
    try withTemporaryDirectory { directory in
      let path = directory + "/model.safetensors"
      try write(try #require(bytes(ofFile: FamilyFixture.named(folder).path)), to: path)
      if let configuration { try write(Array(configuration.utf8), to: directory + "/config.json") }
      return try body(path)
    }
  }

  /// What the refusal says, from the field on.
  private func fault(_ folder: String, _ configuration: String) throws -> String {
    try withModel(folder, configuration: configuration) { path in
      let fault = try #require(#expect(throws: Fault.self) { try VisionTransformer(path: path) }).description
      #expect(fault.hasPrefix(path.dropLast("model.safetensors".count) + "config.json"))
      #expect(
        fault.hasSuffix("; put the model's own config.json beside its weights, or remove this one")
          || fault.hasSuffix("; fetch it again with the weights, or remove it"))
      return String(fault.split(separator: "config.json", maxSplits: 1)[1])
    }
  }

  private func embedding(_ path: String) throws -> [Float] {
    let model = try VisionTransformer(path: path)
    return try model.embed(
      noise(model.geometry.inputChannels * 24 * 20), count: 1, height: 24, width: 20)
  }

  @Test func theEpsilonIsThatOfTheConfiguration() throws {
    let folder = "huggingface-vit-memory"
    let alone = try withModel(folder, configuration: nil) { try embedding($0) }
    let same = try withModel(folder, configuration: #"{"layer_norm_eps": 1e-12}"#) { try embedding($0) }
    let other = try withModel(folder, configuration: #"{"layer_norm_eps": 1e-6}"#) { try embedding($0) }
    #expect(same == alone)
    #expect(largestDifference(other, alone) > 1e-3)
  }

  @Test func theHeadsAreThoseOfTheConfiguration() throws {
    let heads = try withModel("huggingface-dinov2", configuration: #"{"num_attention_heads": 4}"#) {
      try VisionTransformer(path: $0).geometry.heads
    }
    #expect(heads == 4)
  }

  @Test func theBaseOfRotaryPositionsIsThatOfTheConfiguration() throws {
    let vectors = try ["50", "100"].map { theta in
      try withModel("huggingface-dinov3-memory", configuration: #"{"rope_theta": \#(theta)}"#) {
        try embedding($0)
      }
    }
    #expect(largestDifference(vectors[0], vectors[1]) > 1e-3)
    let alone = try withModel("huggingface-dinov3-memory", configuration: nil) { try embedding($0) }
    #expect(vectors[1] == alone)
  }

  @Test func aBaseThatIsNotPositiveIsAFault() throws {
    let says = try fault("huggingface-dinov3-memory", #"{"rope_theta": 0}"#)
    #expect(says.hasPrefix(": rope_theta: expected a positive number, found 0"))
  }

  @Test func theNameIsOfTheWeightsAndOfWhatTheConfigurationChanges() throws {
    func hash(_ configuration: String?) throws -> String {
      try withModel("huggingface-vit-memory", configuration: configuration) {
        "\(try VisionTransformer(path: $0).hash)"
      }
    }
    let alone = try hash(nil)
    #expect(try hash(#"{"model_type": "vit", "layer_norm_eps": 1e-12, "num_attention_heads": 2}"#) == alone)
    #expect(try hash(#"{"layer_norm_eps": 1e-6}"#) != alone)
  }

  @Test func meanAndDeviationAreThoseOfThePreprocessor() throws {
    var preprocessor = #"{"image_mean": [0.1, 0.2, 0.3, 0.4], "image_std": [1, 1, 1, 1], "size": 224}"#
    func normalization(_ folder: String) throws -> InputNormalization? {
      try withModel(folder, configuration: #"{"model_type": "vit", "num_attention_heads": 2}"#) { path in
        let beside = path.dropLast("model.safetensors".count) + "preprocessor_config.json"
        try write(Array(preprocessor.utf8), to: String(beside))
        return try VisionTransformer(path: path).expectedNormalization
      }
    }
    let told = InputNormalization.fixed(mean: [0.1, 0.2, 0.3, 0.4], deviation: [1, 1, 1, 1])
    #expect(try normalization("huggingface-vit") == told)
    #expect(try normalization("huggingface-vit-memory") == nil, "four means are not for one input")
    preprocessor = preprocessor.replacing("224", with: #"224, "do_normalize": false"#)
    #expect(try normalization("huggingface-vit") == nil)
    preprocessor = #"{"image_mean": [0, 0, 0, 0], "image_std": [1, 1, 0, 1]}"#
    let fault = #expect(throws: Fault.self) { try normalization("huggingface-vit") }
    #expect(fault?.subject.hasSuffix("/preprocessor_config.json") == true)
    #expect(fault?.problem.hasPrefix("expected a mean and a positive SD of each input, found ") == true)
  }

  @Test func aConfigurationOfSomethingElseIsNotLookedAt() throws {
    for configuration in [
      #"{"optimizer": "adam"}"#, "{}", #"{"architecture": "resnet50", "num_features": 2048}"#,
    ] {
      let epsilon = try withModel("huggingface-vit-memory", configuration: configuration) {
        try VisionTransformer(path: $0).geometry.epsilon
      }
      #expect(epsilon == 1e-12)
    }
    // The authors' files have none: it belongs to another model in the folder.
    let others = [#"{"model_type": "vit", "hidden_size": 768}"#, #"{"architecture": "resnet50"}"#]
    for configuration in others {
      let family = try withModel("dinov2-swiglu", configuration: configuration) {
        try VisionTransformer(path: $0).familyName
      }
      #expect(family == "DINOv2")
    }
  }

  @Test func timmsConfigurationDecidesTheResizeOfPositions() throws {
    let timm = #"{"architecture": "vit_small_patch16_224.dino", "num_features": 32}"#
    try withTemporaryDirectory { folder in
      try VisionTransformer.writeSeeded(geometry: .tiny(width: 32), seed: 1, to: folder + "/w.safetensors")
      let alone = try VisionTransformer(path: folder + "/w.safetensors")
      try write(Array(timm.utf8), to: folder + "/config.json")
      let ofTimm = try VisionTransformer(path: folder + "/w.safetensors")
      #expect(ofTimm.familyName == "DINO (timm)")
      #expect(ofTimm.hash != alone.hash)
      let images = noise(2 * 20 * 20)
      let vectors = try [alone, ofTimm].map { try $0.embed(images, count: 1, height: 20, width: 20) }
      #expect(largestDifference(vectors[0], vectors[1]) > 1e-4)
    }
  }

  @Test func aConfigurationThatIsCutShortIsAFault() throws {
    let whole = try #require(bytes(ofFile: fixturePath("families/huggingface-dinov3/config.json")))
    #expect(try ModelConfiguration(Data(whole), path: "c")?.ropeTheta == 50)
    // The last byte ends a line.
    for length in 0..<whole.count - 1 {
      #expect(throws: Fault.self) { try ModelConfiguration(Data(whole.prefix(length)), path: "c") }
    }
  }

  @Test(
    arguments: [
      ("{", ": is not the configuration of a model: it is not JSON"),
      ("", ": is not the configuration of a model: it is not JSON"),
      (#"{"hidden_size": "large"}"#, ": is not the configuration of a model: hidden_size is no Int"),
      (#"{"patch_size": {"x": 4}}"#, ": is not the configuration of a model: patch_size is no Int"),
    ])
  func aDamagedConfigurationIsAFault(configuration: String, says: String) throws {
    #expect(try fault("huggingface-vit-memory", configuration).hasPrefix(says))
  }

  @Test(
    arguments: [
      (#"{"hidden_size": 768}"#, ": hidden_size: expected 32, as in the tensors of "),
      (#"{"num_hidden_layers": 12}"#, ": num_hidden_layers: expected 2, as in the tensors of "),
      (#"{"hidden_size": 32, "patch_size": [8, 8]}"#, ": patch_size: expected 4, as in the tensors of "),
      (#"{"hidden_size": 32, "num_channels": 3}"#, ": num_channels: expected 1, as in the tensors of "),
      (#"{"hidden_size": 32, "intermediate_size": 128}"#, ": intermediate_size: expected 64, "),
      (#"{"hidden_size": 32, "image_size": 224}"#, ": image_size: expected 16, as in the tensors of "),
      (#"{"hidden_size": 32, "hidden_act": "gelu_new"}"#, ": hidden_act: expected gelu, found gelu_new"),
      (#"{"num_attention_heads": 5}"#, ": num_attention_heads: expected a divisor of the width 32, found 5"),
      (#"{"num_attention_heads": 4}"#, ": num_attention_heads: expected 2, as in the metadata of "),
      (#"{"layer_norm_eps": 0}"#, ": layer_norm_eps: expected a small positive number, found 0"),
      (#"{"layer_norm_eps": 1e-60}"#, ": layer_norm_eps: expected a small positive number, found 1e-60"),
      (#"{"model_type": "dinov2"}"#, ": model_type: expected vit, as the tensors are called, found dinov2"),
    ])
  func aConfigurationThatContradictsTheTensorsIsAFault(configuration: String, says: String) throws {
    #expect(try fault("huggingface-vit-memory", configuration).hasPrefix(says))
  }
}
