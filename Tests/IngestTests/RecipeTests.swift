import Backbone
import Faults
import Imaging
import Ingest
import TestSupport
import Testing

@Suite struct RecipeTests {
  /// As the first version wrote them: spaces are found by these texts.
  @Test(arguments: [
    #"{"crop":{"border":"pad","cropSizePx":96,"minAreaPx":0,"normalization":"self","outputSizePx":64,"zeroBackground":false},"roles":["nucleus","protein"],"segmentationRole":"nucleus","source":{"kind":"masks"},"strategy":{"map":["nucleus","protein",null]}}"#,
    #"{"crop":{"border":"drop","minAreaPx":9,"normalization":"percentile","outputSizePx":64,"zeroBackground":true},"roles":["protein"],"segmentationRole":"nucleus","source":{"kind":"whole"},"strategy":"replicate"}"#,
  ])
  func recipesOfTheFirstVersionKeepTheirTexts(text: String) throws {
    #expect(try Recipe(canonicalJSON: text, space: "s").canonicalJSON() == text)
  }

  @Test(arguments: [
    ChannelStrategy.replicate(.mean), .average, .map(["er", nil], absent: .repeat),
    .reindex(["dna": 1, "er": 0]),
  ])
  func recipesSurviveTheirTexts(strategy: ChannelStrategy) throws {
    let recipe = Recipe(
      source: .whole, segmentationRole: "nucleus",
      crop: CropRecipe(
        cropSizePx: nil, outputSizePx: 8, normalization: .jointMinmax, normalizationScope: .square),
      strategy: strategy, pooling: .classAndMean, rotations: .four, roles: ["er", "dna"])
    let text = try recipe.canonicalJSON()
    #expect(text.contains(#""pooling":"class-mean","roles":["dna","er"],"rotations":4,"#))
    #expect(recipe.description.hasSuffix("; pooling class-mean; mean of 4 rotations"))
    #expect(try Recipe(canonicalJSON: text, space: "s") == recipe)
  }

  @Test func int8IsPartOfARecipeAndOtherNumbersAreNot() throws {
    func recipe(isInt8: Bool) -> Recipe {
      Recipe(
        source: .whole, segmentationRole: "nucleus", crop: CropRecipe(cropSizePx: nil, outputSizePx: 8),
        strategy: .replicate(.concat), roles: ["er"], isInt8: isInt8)
    }
    let (plain, text) = (try recipe(isInt8: false).canonicalJSON(), try recipe(isInt8: true).canonicalJSON())
    #expect(!plain.contains("precision"))
    #expect(
      text == plain.replacing(#","roles":"#, with: #","precision":"int8","roles":"#))
    #expect(try Recipe(canonicalJSON: text, space: "s") == recipe(isInt8: true))
    #expect(recipe(isInt8: true).description.hasSuffix("; int8"))
    #expect(recipe(isInt8: true).precision == .int8 && recipe(isInt8: false).precision == .fastest)
    let other = text.replacing("int8", with: "bfloat16")
    #expect(throws: Fault.self) { try Recipe(canonicalJSON: other, space: "s") }
  }

  @Test func numbersOfARecipeAreThoseOfItsNormalization() throws {
    func recipe(_ rule: Normalization, _ scaling: InputScaling?) -> Recipe {
      Recipe(
        source: .whole, segmentationRole: "",
        crop: CropRecipe(cropSizePx: nil, outputSizePx: 8, normalization: rule),
        scaling: scaling, strategy: .average, roles: ["er"])
    }
    let scaling = InputScaling(mean: [0.1, 1], deviation: [0.25, 2])
    let fixed = recipe(.fixed, scaling)
    let text = try fixed.canonicalJSON()
    #expect(text.contains(#""scaling":{"deviation":[0.25,2],"mean":[0.1,1]}"#))
    #expect(try Recipe(canonicalJSON: text, space: "s") == fixed)
    #expect(
      fixed.description == "average; intensities fixed (mean 0.1 1.0, SD 0.25 2.0); whole images at 8 px")
    let wrong = [
      recipe(.fixed, nil), recipe(.range, scaling), recipe(.fixed, InputScaling(mean: [0], deviation: [0])),
    ]
    for recipe in wrong {
      #expect(throws: Fault.self) { try Recipe(canonicalJSON: recipe.canonicalJSON(), space: "s") }
    }
  }

  @Test func aReaderIsToldWhatMatters() {
    func text(_ crop: CropRecipe, _ strategy: ChannelStrategy) -> String {
      Recipe(source: .masks, segmentationRole: "", crop: crop, strategy: strategy, roles: ["er"]).description
    }
    #expect(
      text(CropRecipe(cropSizePx: 96, outputSizePx: 64, zeroBackground: true), .map(["er", nil]))
        == "map er>0, absent zero; intensities self over the crop; squares of 96 px at 64 px, background zeroed"
    )
    #expect(
      text(CropRecipe(cropSizePx: nil, outputSizePx: 64, normalization: .imagenet), .average)
        == "average; intensities imagenet; whole images at 64 px")
    #expect(
      Recipe(
        source: .whole, segmentationRole: "", crop: CropRecipe(cropSizePx: nil, outputSizePx: 8),
        strategy: .average, pooling: .meanOfPatches, roles: ["er"]
      ).description == "average; intensities self over the crop; whole images at 8 px; pooling mean")
  }

  @Test(arguments: [nil, InputScaling(mean: [0.1, 0.2, 0.3], deviation: [0.4, 0.25, 2])])
  func aModelSeesItsOwnMeanAndDeviationAtEachInput(scaling: InputScaling?) throws {
    try withTemporaryDirectory { folder in
      let path = folder + "/rgb.safetensors"
      try VisionTransformer.writeSeeded(
        geometry: ViTGeometry(
          width: 16, depth: 1, heads: 1, patchSize: 4, inputChannels: 3, gridSize: 2, mlpWidth: 16),
        seed: 1, to: path)
      let model = try VisionTransformer(path: path)
      let pixels = (0..<64).map { Float($0 * 4) }
      let image = try FieldImage(
        name: "", roles: ["dna"], planes: [Plane(width: 8, height: 8, sampleType: .uint8, pixels: pixels)])
      let recipe = Recipe(
        source: .whole, segmentationRole: "dna",
        crop: CropRecipe(
          cropSizePx: nil, outputSizePx: 8, normalization: scaling == nil ? .imagenet : .fixed),
        scaling: scaling, strategy: .replicate(.concat), roles: ["dna"])
      let crop = try CropPlan(of: image, source: .whole, recipe: recipe.crop, segmentationRole: "dna")
      let found = try crop.pixels(of: 0..<1).withUnsafeBufferPointer {
        try recipe.embedder(with: model).embed(crops: $0, count: 1, height: 8, width: 8, threads: 1)
      }
      var inputs: [Float] = []
      let ofImageNet = (mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225])
      for input in 0..<3 {
        let mean = Float((scaling?.mean ?? ofImageNet.mean)[input])
        let deviation = Float((scaling?.deviation ?? ofImageNet.deviation)[input])
        inputs += pixels.map { ($0 / 255 - mean) / deviation }
      }
      var expected = [Float](repeating: 0, count: 16)
      try inputs.withUnsafeBufferPointer { inputs in
        try expected.withUnsafeMutableBufferPointer {
          try model.embed(inputs, count: 1, height: 8, width: 8, into: $0, threads: 1)
        }
      }
      // The constants are folded into weight and offset, which rounds otherwise.
      for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-5) }
    }
  }
}
