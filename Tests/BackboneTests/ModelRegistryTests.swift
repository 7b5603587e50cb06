import Faults
import Formats
import Foundation
import TestSupport
import Testing

@testable import Backbone

@Suite struct ModelRegistryTests {
  /// Calls `body` with an empty registry and the path of a tiny model.
  private func withRegistry(_ body: (ModelRegistry, _ path: String, _ folder: String) throws -> Void) throws {
    try withTemporaryDirectory { folder in
      let path = folder + "/tiny.safetensors"
      try VisionTransformer.writeSeeded(
        geometry: .tiny(), inputRoles: ["nucleus", "protein"], seed: 1, to: path)
      try body(ModelRegistry(folder: folder + "/data/cellvec/models"), path, folder)
    }
  }

  @Test func theFolderIsThatOfTheUsersData() {
    func folder(_ variables: [String: String]) -> String? { ModelRegistry { variables[$0] }.folder }
    #expect(folder(["XDG_DATA_HOME": "/x", "HOME": "/h"]) == "/x/cellvec/models")
    #expect(folder(["XDG_DATA_HOME": "x", "HOME": "/h"]) == "/h/.local/share/cellvec/models")
    #expect(folder([:]) == nil)
  }

  @Test func anAddedModelIsFoundByItsNameEvenWhenItsFileIsGone() throws {
    try withRegistry { registry, path, _ in
      let entry = try registry.add("a-1", path: path, preset: "p")
      let original = try VisionTransformer(path: path)
      try FileManager.default.removeItem(atPath: path)
      let found = try registry.load("a-1")
      #expect(found.isNamed && found.preset == "p")
      #expect(found.model.name == "a-1" && found.model.hash == original.hash)
      #expect(entry.inputs == ["nucleus", "protein"] && entry.origin?.hasSuffix("/tiny.safetensors") == true)
      #expect(entry.parameters == original.geometry.parameterCount)
      #expect(try registry.entries().map(\.name) == [BundledModel.name, "a-1"])
      #expect(try registry.entries().last == entry)
      #expect(try registry.load(hash: entry.hash)?.model.name == "a-1")
      #expect(try registry.load(hash: "0") == nil)
    }
  }

  @Test func whatLiesBesideTheFileAndIsSaidOfItsInputsIsKept() throws {
    try withRegistry { registry, path, folder in
      let names = ["config.json", "preprocessor_config.json"]
      for name in names { try write(Array("{}".utf8), to: "\(folder)/\(name)") }
      _ = try registry.add("a", path: path, inputs: ["er", "protein"])
      #expect(try registry.load("a").model.inputRoles == ["er", "protein"])
      for name in names {
        #expect(bytes(ofFile: "\(folder)/data/cellvec/models/a/\(name)") == Array("{}".utf8))
      }
    }
  }

  @Test func theTextBesideAFileIsTheModelsCard() throws {
    try withRegistry { registry, path, folder in
      _ = try registry.add("none", path: path)
      try write(Array("readme".utf8), to: folder + "/README.md")
      _ = try registry.add("other", path: path)
      for name in ["none", "other"] {
        let fault = #expect(throws: Fault.self) { try registry.card(of: name) }
        #expect(fault?.kind == .missingInput && !registry.hasCard(name))
      }
      // A folder with a configuration is the model's, and so is its text; the file's own goes before it.
      try write(Array("{}".utf8), to: folder + "/config.json")
      _ = try registry.add("folder", path: path)
      try write(Array("# Tiny\n".utf8), to: folder + "/tiny.md")
      _ = try registry.add("own", path: path)
      #expect(try registry.card(of: "folder") == "readme" && registry.hasCard("folder"))
      #expect(try registry.card(of: "own") == "# Tiny\n")
    }
  }

  @Test func whatSpeaksAgainstAModelKeepsItOut() throws {
    func refuse(_ model: VisionTransformer) throws {
      throw Fault(.usage, "model \(model.name)", "is not for --preset p")
    }
    try withRegistry { registry, path, _ in
      let fault = #expect(throws: Fault.self) { try registry.add("a", path: path, check: refuse) }
      #expect(fault?.description == "model a: is not for --preset p")
      let entries = try registry.entries()
      #expect(entries.map(\.name) == [BundledModel.name])
    }
  }

  @Test func rolesThatAreOfNoUseNeedOthers() throws {
    try withRegistry { registry, path, _ in
      let file = try SafetensorsFile(path: path)
      let tensors = try file.tensorNames.map { name in
        (name: name, shape: file.shape(of: name) ?? [], values: try file.floats(of: name))
      }
      let metadata = file.metadata.merging(["inputs": "nucleus"]) { $1 }
      try write(SafetensorsFile.encode(tensors: tensors, metadata: metadata), to: path)
      #expect(try VisionTransformer(path: path).inputRoles == nil)
      let fault = #expect(throws: Fault.self) { try registry.add("a", path: path) }
      #expect(
        fault?.description
          == #"\#(path): metadata inputs: expected 2 different roles, found "nucleus"; say it with --map,"#
          + " or with --inputs of cellvec models add")
      #expect(try registry.add("a", path: path, inputs: ["er", "protein"]).inputs == ["er", "protein"])
      #expect(try registry.load("a").model.inputRoles == ["er", "protein"])
    }
  }

  @Test func pathsAreFilesAndNamesGoBeforeThem() throws {
    try withRegistry { registry, path, _ in
      let found = try registry.load(path)
      #expect(!found.isNamed && found.model.name == "tiny")
      let fault = #expect(throws: Fault.self) { try registry.load("cellvec-smal-1") }
      #expect(fault?.kind == .missingInput)
      #expect(fault?.description.contains("did you mean \"\(BundledModel.name)\"?") == true)
      #expect(throws: Fault.self) { try registry.load("./cellvec-small-1") }
    }
  }

  @Test func aFileThatIsNoBackboneIsRefusedByItsOwnNameAndLeavesNothing() throws {
    try withRegistry { registry, _, folder in
      let path = folder + "/other.safetensors"
      try write(SafetensorsFile.encode(tensors: [("x", [1], [1])]), to: path)
      let fault = #expect(throws: Fault.self) { try registry.add("a", path: path) }
      #expect(fault?.kind == .badData)
      #expect(fault?.description.hasPrefix(path) == true)
      #expect(throws: Fault.self) { try registry.add("a", path: folder + "/none") }
      let left = try FileManager.default.contentsOfDirectory(atPath: folder + "/data/cellvec/models")
      #expect(left.isEmpty)
    }
  }

  @Test func aConfigurationThatIsNoneIsRefusedByItsOwnName() throws {
    try withRegistry { registry, path, folder in
      try write(Array("{".utf8), to: folder + "/config.json")
      let fault = #expect(throws: Fault.self) { try registry.add("a", path: path) }
      #expect(fault?.description.hasPrefix(folder + "/config.json") == true)
    }
  }

  @Test(arguments: ["", ".a", "-a", "a/b", "a b", "ä", BundledModel.name])
  func someNamesAreRefused(name: String) throws {
    try withRegistry { registry, path, _ in
      let fault = #expect(throws: Fault.self) { try registry.add(name, path: path) }
      #expect(fault?.kind == .usage)
    }
  }

  @Test func aNameIsTakenUntilItsModelIsRemoved() throws {
    try withRegistry { registry, path, _ in
      _ = try registry.add("a", path: path)
      #expect(throws: Fault.self) { try registry.add("a", path: path) }
      try registry.remove("a")
      #expect(try registry.entries().count == 1)
      _ = try registry.add("a", path: path)
      #expect(throws: Fault.self) { try registry.remove("b") }
      #expect(throws: Fault.self) { try registry.remove(BundledModel.name) }
    }
  }

  @Test func weightsThatWereExchangedAreNoticed() throws {
    try withRegistry { registry, path, folder in
      _ = try registry.add("a", path: path)
      try VisionTransformer.writeSeeded(
        geometry: .tiny(), seed: 2, to: folder + "/data/cellvec/models/a/weights.safetensors")
      let fault = #expect(throws: Fault.self) { try registry.load("a") }
      #expect(fault?.kind == .badData)
    }
  }

  @Test func withoutAPlaceThereIsTheBundledModelAlone() throws {
    try withRegistry { _, path, _ in
      let registry = ModelRegistry(folder: nil)
      let entries = try registry.entries()
      #expect(entries.map(\.name) == [BundledModel.name])
      let fault = #expect(throws: Fault.self) { try registry.add("a", path: path) }
      #expect(fault?.kind == .cannotCreate)
    }
  }
}

@Suite struct ArchitectureTests {
  @Test(arguments: [(384, 12, 16, "ViT-S/16"), (768, 12, 8, "ViT-B/8"), (384, 4, 14, "ViT-384x4/14")])
  func sizesWithALetterHaveIt(width: Int, depth: Int, patch: Int, name: String) {
    let geometry = ViTGeometry(
      width: width, depth: depth, heads: 6, patchSize: patch, inputChannels: 3, gridSize: 14,
      mlpWidth: 4 * width)
    #expect(geometry.architecture == name)
  }
}

@Suite struct BundledModelTests {
  @Test func itIsReadWhereItLiesAndEqualsItsFile() throws {
    let folder = fixturePath("").split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    let path = folder.joined(separator: "/") + "/Sources/BundledBackbone/\(BundledModel.name).safetensors"
    let file = try #require(bytes(ofFile: path))
    #expect(try BundledModel.file().files[0].bytes.withUnsafeBytes { Array($0) } == file)
    #expect(try BundledModel.load().hash == VisionTransformer(path: path).hash)
    #expect(BundledModel.card.hasPrefix("# \(BundledModel.name)\n"))
  }

  @Test func itKnowsItsInputs() throws {
    let model = try BundledModel.load()
    #expect(model.name == BundledModel.name)
    #expect(model.inputRoles == ["nucleus", "protein"])
    #expect(model.trainingInput.normalization == "self")
  }
}

@Suite struct TrainingInputTests {
  private func input(_ metadata: [String: String]) -> TrainingInput {
    TrainingInput(metadata: metadata, inputCount: 2, name: "f")
  }

  @Test func textsAreKeptAndNumbersRead() throws {
    let told = input([
      "normalization": "x", "image_size": "64", "crop_um": "25.6", "pooling": "both", "inputs": "a,b",
    ])
    #expect(told.normalization == "x" && told.imageSizePx == 64 && told.cropUm == 25.6)
    #expect(told.pooling == "both" && told.inputs == ["a", "b"])
    for fact in TrainingFact.allCases { try told.check(fact) }
    #expect(input([:]).imageSizePx == nil && input([:]).inputs == nil)
  }

  @Test(arguments: [
    (TrainingFact.imageSize, "0", "--input-size"), (.imageSize, "6.5", "--input-size"),
    (.cropUm, "inf", "--crop"), (.cropUm, "-1", "--crop"), (.inputs, "a", "--map"), (.inputs, "a,a", "--map"),
    (.inputs, "a,", "--map"),
  ])
  func whatIsOfNoUseIsAFaultOnceItIsNeeded(fact: TrainingFact, text: String, option: String) throws {
    let told = input([fact.rawValue: text, "pooling": "mean"])
    let fault = #expect(throws: Fault.self) { try told.check(fact) }
    #expect(fault?.subject == "f: metadata \(fact.rawValue)")
    #expect(fault?.remedy.hasPrefix("say it with \(option)") == true)
    #expect(told.imageSizePx == nil && told.cropUm == nil && told.inputs == nil)
    try told.check(.pooling)
  }
}
