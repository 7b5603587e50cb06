import Backbone
import Faults
import Formats
import Imaging
import TestSupport
import Testing

@testable import Ingest

@Suite struct PresetTests {
  @Test func namesDifferAndSourcesAreStated() {
    let presets = Preset.all()
    #expect(Set(presets.map(\.name)).count == presets.count)
    #expect(presets.allSatisfy { $0.source.count > 20 && !$0.source.contains("\n") })
    for preset in presets where !preset.normalization.usesStatistics {
      #expect(preset.normalizationScope == .crop)
    }
  }

  @Test func theNucleusOfHPAModelsIsAChoiceAndProteinAndERAreNot() throws {
    let standard = try Preset.named("hpa-fov-dino4cells")
    let other = try Preset.named("hpa-fov-dino4cells", hpaNucleus: 2)
    #expect(standard.inputs == ["nucleus", "protein", "microtubules", "er"])
    #expect(other.inputs == ["microtubules", "protein", "nucleus", "er"])
  }

  @Test func unknownNamesAndChoicesAreFaults() {
    let unknown = #expect(throws: Fault.self) { try Preset.named("dino-v2") }
    #expect(unknown?.description.contains("did you mean \"dinov2\"?") == true)
    #expect(throws: Fault.self) { try Preset.named("dinov2", hpaNucleus: 0) }
    #expect(throws: Fault.self) { try Preset.named("hpa-cell-dino4cells", hpaNucleus: 1) }
  }
}

@Suite struct RecipeDefaultsTests {
  /// A tiny model with these texts as metadata.
  private func withModel(
    _ metadata: [String: String], inputs: Int = 4, _ body: (VisionTransformer) throws -> Void
  ) throws {
    try withTemporaryDirectory { folder in
      let path = folder + "/m.safetensors"
      try VisionTransformer.writeSeeded(
        geometry: ViTGeometry(
          width: 16, depth: 1, heads: 1, patchSize: 4, inputChannels: inputs, gridSize: 2, mlpWidth: 16),
        seed: 1, to: path)
      let file = try SafetensorsFile(path: path)
      let tensors = try file.tensorNames.map { name in
        (name: name, shape: file.shape(of: name) ?? [], values: try file.floats(of: name))
      }
      let bytes = SafetensorsFile.encode(
        tensors: tensors, metadata: metadata.merging(["num_heads": "1"]) { old, _ in old })
      try body(VisionTransformer(file: SafetensorsFile(bytes: bytes, name: "m"), name: "m"))
    }
  }

  @Test func aSilentModelHasCellvecsDefaults() throws {
    try withModel([:]) { model in
      let defaults = try RecipeDefaults(for: model, preset: nil)
      #expect(defaults.crop == CropRecipe(cropSizePx: nil, outputSizePx: 8))
      #expect(defaults.inputs == nil && defaults.strategy == .map)
    }
  }

  @Test func numbersThatAreNotImageNetsAreUsed() throws {
    func defaults(_ family: String, preset: String? = nil) throws -> RecipeDefaults {
      let path = fixturePath("families/\(family)/model.safetensors")
      return try RecipeDefaults(for: VisionTransformer(path: path), preset: preset.map { try .named($0) })
    }
    let ofTimm = try defaults("timm-dino")
    #expect(ofTimm.crop.normalization == .fixed)
    #expect(ofTimm.scaling == InputScaling(mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5]))
    #expect(try defaults("timm-dino", preset: "imagenet-dino").crop.normalization == .imagenet)
    #expect(try defaults("dinov2-swiglu").crop.normalization == .selfStandardize)
    #expect(try defaults("dinov2-swiglu").scaling == .imagenet)
    #expect(try defaults("subcell").scaling == nil)
  }

  @Test func aModelsWordGoesBeforeCellvecsAndAPresetsBeforeIt() throws {
    let metadata = ["normalization": "percentile", "image_size": "24", "inputs": "a,b,c,d"]
    try withModel(metadata) { model in
      let own = try RecipeDefaults(for: model, preset: nil)
      #expect(own.crop.normalization == .percentile && own.crop.outputSizePx == 24)
      let preset = try RecipeDefaults(for: model, preset: .named("subcell"))
      #expect(preset.crop.normalization == .jointMinmax && preset.crop.normalizationScope == .square)
      #expect(preset.crop.outputSizePx == 448)
      #expect(preset.inputs == ["a", "b", "c", "d"])
      let sizeless = try RecipeDefaults(for: model, preset: .named("hpa-cell-dino4cells"))
      #expect(sizeless.crop.outputSizePx == 24 && sizeless.crop.zeroBackground)
    }
  }

  @Test func poolingIsTheModelsWordUnlessAPresetSaysOtherwise() throws {
    try withModel(["pooling": "class-mean"]) { model in
      let own = try RecipeDefaults(for: model, preset: nil)
      let silent = try RecipeDefaults(for: model, preset: .named("cellvec"))
      let other = try RecipeDefaults(for: model, preset: .named("opencell"))
      #expect([own, silent, other].map(\.pooling) == [.classAndMean, .classAndMean, .classToken])
    }
    try withModel(["pooling": "sum"]) { model in
      #expect(throws: Fault.self) { try RecipeDefaults(for: model, preset: nil) }
    }
  }

  @Test func rotationsAreTheModels() throws {
    try withModel([:]) { model in
      let silent = try RecipeDefaults(for: model, preset: nil)
      #expect(silent.rotations == .one)
    }
    try withModel(["rotations": "4"]) { model in
      let own = try RecipeDefaults(for: model, preset: .named("opencell"))
      #expect(own.rotations == .four)
    }
    try withModel(["rotations": "3"]) { model in
      let fault = #expect(throws: Fault.self) { try RecipeDefaults(for: model, preset: nil) }
      let told = try RecipeDefaults(for: model, preset: nil, told: [.rotations])
      #expect(told.rotations == .one)
      #expect(
        fault?.description.contains(
          "metadata rotations: expected 1, 2 or 4, found \"3\"; say it with --rotations") == true)
    }
  }

  @Test func aRuleThatIsNotKnownIsAFault() throws {
    try withModel(["normalization": "magic"]) { model in
      let fault = #expect(throws: Fault.self) { try RecipeDefaults(for: model, preset: nil) }
      #expect(fault?.kind == .badData)
      #expect(fault?.description.contains(#"found "magic""#) == true)
    }
  }

  @Test(arguments: [
    (TrainingFact.pooling, "sum", "--pooling"), (.normalization, "magic", "--normalize"),
    (.imageSize, "large", "--input-size"),
  ])
  func anOptionTakesThePlaceOfMetadataThatAreOfNoUse(fact: TrainingFact, text: String, option: String) throws
  {
    try withModel([fact.rawValue: text]) { model in
      let fault = #expect(throws: Fault.self) { try RecipeDefaults(for: model, preset: nil) }
      #expect(fault?.kind == .badData && fault?.remedy == "say it with \(option)")
      let defaults = try RecipeDefaults(for: model, preset: nil, told: [fact])
      #expect(try defaults == silentDefaults())
    }
  }

  private func silentDefaults() throws -> RecipeDefaults {
    var defaults: RecipeDefaults?
    try withModel([:]) { defaults = try RecipeDefaults(for: $0, preset: nil) }
    return try #require(defaults)
  }

  @Test(
    arguments: [
      // Four inputs, patches of 4 px.
      ("hpa-fov-dino4cells", "a,b,c,d", 4, nil), ("cell-dino", nil, 4, nil), ("cellvec", nil, 2, nil),
      ("imagenet-dino", nil, 3, nil), ("hpa-cell-dino4cells", "nucleus,protein", 2, nil),
      (
        "hpa-cell-dino4cells", nil, 2,
        "expected 4 inputs (nucleus, protein, microtubules, er), found 2 of model m"
      ),
      (
        "hpa-cell-dino4cells", "nucleus,dna", 2,
        "expected 4 inputs (nucleus, protein, microtubules, er), found 2 (nucleus, dna) of model m"
      ), ("imagenet-dino", nil, 4, "expected 3 inputs, which are red, green and blue, found 4 of model m"),
      (
        "subcell", nil, 4,
        "expected weights for pooling attention, found those for class, mean, class-mean of model m"
      ),
    ] as [(String, String?, Int, String?)])
  func aPresetFitsAModelOrSaysWhyNot(preset: String, inputs: String?, count: Int, problem: String?) throws {
    try withModel(inputs.map { ["inputs": $0] } ?? [:], inputs: count) { model in
      let preset = try Preset.named(preset)
      guard let problem else { return try preset.check(fits: model) }
      let fault = #expect(throws: Fault.self) { try preset.check(fits: model) }
      #expect(fault?.kind == .usage && fault?.subject == "--preset \(preset.name)")
      #expect(fault?.problem == problem)
    }
  }

  @Test func aPresetsImagesAreWholePatches() throws {
    try withModel([:], inputs: 3) { model in
      var preset = try Preset.named("imagenet-dino")
      preset.inputSizePx = 222
      let fault = #expect(throws: Fault.self) { try preset.check(fits: model) }
      #expect(
        fault?.problem
          == "expected patches that fill its images of 222 x 222 px, found those of 4 px of model m")
    }
  }

  @Test func aPresetOfMoreInputsThanTheModelHasMustBeMapped() throws {
    try withModel([:], inputs: 2) { model in
      let defaults = try RecipeDefaults(for: model, preset: .named("subcell"))
      let fault = #expect(throws: Fault.self) {
        try Embedder.defaultMap(backbone: model, inputs: defaults.inputs, roles: ["protein"])
      }
      #expect(
        fault?.problem.hasPrefix("expected 4 inputs (microtubules, er, nucleus, protein), found 2") == true)
    }
  }
}
