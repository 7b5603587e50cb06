import Faults
import TestSupport
import Testing

@testable import Formats

@Suite struct ShardTests {
  /// The files of a model of three scalars in two files, by their paths.
  private static let shards: [String: [UInt8]] = [
    "m/a.safetensors": SafetensorsFile.encode(
      tensors: [("norm", [1], [1]), ("bias", [1], [2])], metadata: ["format": "pt"]),
    "m/b.safetensors": SafetensorsFile.encode(
      tensors: [("head", [2], [3, 4])], metadata: ["format": "pt", "inputs": "er"]),
  ]
  private static let map = #""norm": "a.safetensors", "bias": "a.safetensors", "head": "b.safetensors""#

  private static func open(
    _ index: String, _ shards: [String: [UInt8]] = Self.shards, branch: String? = nil
  ) throws -> any TensorFile {
    try openTensorFile(
      index: Array(index.utf8), name: "m/model.safetensors.index.json", shards: shards, branch: branch)
  }

  private static func whole(_ map: String = map) -> String {
    #"{"metadata": {"total_size": 16, "more": [1.5e3, {"x": null}]}, "weight_map": {\#(map)}}"#
  }

  @Test func severalFilesAreOneModel() throws {
    let file = try Self.open(Self.whole())
    #expect(file.name == "m/model.safetensors.index.json" && file.format == .safetensors)
    #expect(file.tensorNames == ["bias", "head", "norm"])
    #expect(file.shape(of: "head") == [2] && file.shape(of: "tail") == nil)
    #expect(try file.floats(of: "head") == [3, 4])
    #expect(try file.floats(of: "bias") == [2])
    #expect(file.metadata == ["format": "pt", "inputs": "er"])
    #expect(file.branches == .none)
    #expect(file.files.map(\.path) == ["m/a.safetensors", "m/b.safetensors"])
    for part in file.files { #expect(part.bytes.withUnsafeBytes { Array($0) } == Self.shards[part.path]) }
    #expect(file.byteCount == Self.shards.values.map(\.count).reduce(0, +))
    #expect(throws: Fault.self) { try file.floats(of: "tail") }
  }

  @Test func teacherAndStudentMayLieInSeveralFiles() throws {
    let shards = [
      "m/a.safetensors": SafetensorsFile.encode(tensors: [("teacher.x", [1], [1]), ("student.x", [1], [2])]),
      "m/b.safetensors": SafetensorsFile.encode(tensors: [("student.y", [1], [3])]),
    ]
    let index = Self.whole(
      #""teacher.x": "a.safetensors", "student.x": "a.safetensors", "student.y": "b.safetensors""#)
    #expect(try Self.open(index, shards).tensorNames == ["teacher.x"])
    let student = try Self.open(index, shards, branch: "student")
    #expect(student.tensorNames == ["student.x", "student.y"] && student.branches.unusual == "student")
    #expect(throws: Fault.self) { try Self.open(index, shards, branch: "pupil") }
    #expect(throws: Fault.self) { try Self.open(Self.whole(), branch: "student") }
  }

  @Test(arguments: [
    ("{", "is not the JSON of an index of weights: expected \" at byte 1"),
    ("{}", "names no tensors"),
    (#"{"weight_map": {}}"#, "names no tensors"),
    (#"{"weight_map": []}"#, "expected { at byte 15"),
    (#"{"weight_map": {"x": 1}}"#, "expected \" at byte 21"),
    (#"{"weight_map": {"x": "../a.bin"}}"#, "found \"../a.bin\""),
    (#"{"weight_map": {"x": "/etc/a.bin"}}"#, "found \"/etc/a.bin\""),
    (#"{"weight_map": {"x": ".bin"}}"#, "found \".bin\""),
    (#"{"weight_map": {"x": "a.b\u0000.bin"}}"#, "found \"a.b"),
    (#"{"weight_map": {"x": "config.json"}}"#, "found \"config.json\""),
    (#"{"weight_map": {"x": "a.bin", "x": "b.bin"}}"#, "names x twice"),
    (#"{"weight_map": {"x": "a.bin"}, "weight_map": {}}"#, "names weight_map twice"),
    (#"{"weight_map": {"x": "a.bin"}} {}"#, "expected the end of the index"),
    (#"{"metadata": }"#, "expected a value at byte 13"),
  ])
  func anIndexThatIsNoneIsRefused(index: String, says: String) {
    let fault = #expect(throws: Fault.self) { try Self.open(index) }
    #expect(fault?.kind == .badData && fault?.subject.hasPrefix("m/model.safetensors.index.json") == true)
    #expect(fault?.problem.contains(says) == true, "\(fault?.problem ?? "")")
  }

  @Test func deepNestingAndManyFilesAreRefused() {
    let deep = #"{"metadata": \#(String(repeating: "[", count: 100_000))"#
    let fault = #expect(throws: Fault.self) { try Self.open(deep) }
    #expect(fault?.problem.contains("expected less nesting") == true)
    let many = (0...ShardIndex.shardLimit).map { "\"\($0)\": \"\($0).bin\"" }.joined(separator: ",")
    let tooMany = #expect(throws: Fault.self) { try Self.open(Self.whole(many)) }
    #expect(tooMany?.problem == "expected at most 1000 files, found 1001")
  }

  @Test func anIndexMustTellTheTruth() throws {
    func fault(_ map: String, _ shards: [String: [UInt8]] = Self.shards) throws -> Fault {
      try #require(#expect(throws: Fault.self) { try Self.open(Self.whole(map), shards) })
    }
    let missing = try fault(Self.map + #", "tail": "c.safetensors""#)
    #expect(missing.kind == .missingInput && missing.subject == "m/c.safetensors")
    #expect(missing.problem == "does not exist, but m/model.safetensors.index.json names it")
    let nowhere = try fault(Self.map + #", "tail": "b.safetensors""#)
    #expect(nowhere.subject == "m/b.safetensors")
    #expect(nowhere.problem == "has no tensor tail, which m/model.safetensors.index.json has in it")
    let elsewhere = try fault(Self.map.replacing(#""bias": "a"#, with: #""bias": "b"#))
    #expect(elsewhere.subject == "m/a.safetensors")
    #expect(
      elsewhere.problem == "has tensor bias, which m/model.safetensors.index.json has in b.safetensors")
    let unnamed = try fault(#""norm": "a.safetensors", "head": "b.safetensors""#)
    #expect(unnamed.problem == "has tensor bias, which m/model.safetensors.index.json does not have")
    var twice = Self.shards
    twice["m/b.safetensors"] = SafetensorsFile.encode(tensors: [("head", [1], [3]), ("norm", [1], [9])])
    #expect(try fault(Self.map, twice).problem.hasPrefix("has tensor norm, which "))
    twice["m/b.safetensors"] = SafetensorsFile.encode(
      tensors: [("head", [1], [3])], metadata: ["format": "tf"])
    #expect(
      try fault(Self.map, twice).description.hasPrefix(
        #"m/b.safetensors: metadata format: expected "pt", as in another file of the model, found "tf""#))
    twice["m/b.safetensors"] = Array("{\"no\": \"tensors\"}".utf8)
    #expect(try fault(Self.map, twice).subject == "m/b.safetensors")
  }

  @Test func aTrainingIsNoPartOfAModel() throws {
    let training = try #require(bytes(ofFile: fixturePath("checkpoints/dino4cells.pth")))
    let fault = #expect(throws: Fault.self) {
      try Self.open(Self.whole(#""x": "a.pth""#), ["m/a.pth": training])
    }
    #expect(fault?.subject == "m/a.pth" && fault?.problem.contains("a training's checkpoint") == true)
  }

  @Test(arguments: [
    ("a/model-00002-of-00010.safetensors", "a/model.safetensors.index.json"),
    ("pytorch_model-00001-of-00002.bin", "pytorch_model.bin.index.json"),
    ("x/a-b-00001-of-00002.pth", "x/a-b.pth.index.json"),
    ("/m.bin.index.json", "/m.bin.index.json"),
  ])
  func filesOfAModelLeadToTheirIndex(path: String, index: String) {
    #expect(shardIndexPath(of: path) == index)
  }

  @Test(arguments: [
    "model-00001-of-00001.safetensors", "fold-1-of-5.pth", "run-of-00012.pth", "of.pth", "", "a/",
    "00001-of-00002.bin",
  ])
  func otherNamesAreThoseOfWholeModels(path: String) {
    #expect(shardIndexPath(of: path) == nil)
  }

  @Test func oneOfTheFilesOpensThemAll() throws {
    try withTemporaryDirectory { folder in
      for (path, bytes) in Self.shards {
        try write(bytes, to: "\(folder)/model-0000\(path == "m/a.safetensors" ? 1 : 2)-of-00002.safetensors")
      }
      let first = "\(folder)/model-00001-of-00002.safetensors"
      let alone = #expect(throws: Fault.self) { try openTensorFile(path: first) }
      #expect(alone?.kind == .missingInput && alone?.subject == first)
      #expect(alone?.problem.hasPrefix("is one of several files of a model, whose index \(folder)/") == true)
      let index = folder + "/model.safetensors.index.json"
      let map = Self.map.replacing("\"a.", with: "\"model-00001-of-00002.").replacing(
        "\"b.", with: "\"model-00002-of-00002.")
      try write(Array(Self.whole(map).utf8), to: index)
      for path in [first, index] { #expect(try openTensorFile(path: path).tensorNames.count == 3) }
      let other = "\(folder)/model-00003-of-00003.safetensors"
      try write([0], to: other)
      let stranger = #expect(throws: Fault.self) { try openTensorFile(path: other) }
      #expect(stranger?.problem == "is not among the files that \(index) names")
    }
  }

  /// Whatever happens to an index, its model is read as it was or refused with a fault.
  @Test func aDamagedIndexIsReadOrRefused() throws {
    let original = Array(Self.whole().utf8)
    var state: UInt64 = 20_261_126
    func random(below bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(bound))
    }
    var refused = 0
    for round in 0..<2_000 {
      var bytes = original
      if round < original.count {
        bytes.removeLast(original.count - round)
      } else {
        for _ in 0...random(below: 3) { bytes[random(below: bytes.count)] ^= 1 << UInt8(random(below: 8)) }
      }
      do {
        let file = try openTensorFile(
          index: bytes, name: "m/model.safetensors.index.json", shards: Self.shards)
        #expect(file.tensorNames == ["bias", "head", "norm"])
      } catch is Fault {
        refused += 1
      }
    }
    #expect(refused > 1_500)
  }
}
