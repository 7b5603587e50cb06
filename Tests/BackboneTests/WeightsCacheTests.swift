import Faults
import Formats
import Foundation
import Identity
import TestSupport
import Testing

@testable import Backbone

/// Calls `body` with a cache in a new folder, and the path of a tiny model of random weights.
private func withCache<Result>(
  _ geometry: ViTGeometry = .tiny(), _ body: (WeightsCache, _ path: String) throws -> Result
) throws -> Result {
  try withTemporaryDirectory { folder in
    let path = folder + "/tiny.safetensors"
    try VisionTransformer.writeSeeded(geometry: geometry, seed: 1, to: path)
    return try body(WeightsCache(folder: folder + "/home/cache"), path)
  }
}

extension VisionTransformer {
  /// Vectors of two random images, by all poolings.
  fileprivate func sample() throws -> [Float] {
    let side = 4 * geometry.patchSize
    let images = noise(2 * geometry.inputChannels * side * side)
    return try poolings.flatMap { try embed(images, count: 2, height: side, width: side, pooling: $0) }
  }
}

extension WeightsCache {
  /// The only file of packed weights.
  fileprivate var onlyPath: String {
    get throws {
      let entries = entries()
      try #require(entries.count == 1)
      return entries[0].path
    }
  }
}

@Suite struct WeightsCacheTests {
  /// Every kind of array: learned and rotary positions, layer scale, registers, SwiGLU, biases or none, pooling.
  @Test(arguments: FamilyFixture.all, Precision.allCases)
  func vectorsAreTheSameWithoutTheCacheColdAndWarm(fixture: FamilyFixture, precision: Precision) throws {
    try withTemporaryDirectory { folder in
      let cache = WeightsCache(folder: folder)
      let plain = try VisionTransformer(path: fixture.path, precision: precision)
      let cold = try VisionTransformer(path: fixture.path, precision: precision, cache: cache)
      let warm = try VisionTransformer(path: fixture.path, precision: precision, cache: cache)
      #expect([plain, cold, warm].map(\.weightsAreFromCache) == [false, false, true])
      let vectors = try plain.sample()
      #expect(try cold.sample() == vectors)
      #expect(try warm.sample() == vectors)
      #expect(warm.hash == plain.hash && cold.hash == plain.hash)
      #expect(warm.geometry == plain.geometry && warm.ignoredTensors == plain.ignoredTensors)
      #expect(
        warm.familyName == plain.familyName && warm.expectedNormalization == plain.expectedNormalization)
    }
  }

  @Test func theBundledModelAndThoseOfTheRegistryAreCached() throws {
    try withCache { cache, path in
      let registry = ModelRegistry(folder: path + ".models", cache: cache)
      _ = try registry.add("a", path: path)
      for name in [BundledModel.name, "a", path] {
        let first = try registry.load(name).model
        // Of the same weights by another name.
        #expect(first.weightsAreFromCache == (name == path))
        #expect(try registry.load(name).model.weightsAreFromCache)
        #expect(try registry.withoutCache.load(name).model.weightsAreFromCache == false)
      }
      #expect(Set(cache.entries().map(\.model)) == [BundledModel.name, "a"])
    }
  }

  @Test func precisionsHaveFilesOfTheirOwn() throws {
    try withCache { cache, path in
      for precision in Precision.allCases {
        let model = try VisionTransformer(path: path, precision: precision, cache: cache)
        #expect(!model.weightsAreFromCache)
      }
      #expect(Set(cache.entries().map(\.precision)) == Set(Precision.allCases.map(\.rawValue)))
    }
  }

  @Test func aFileThatChangedUnderItsNameIsReadAgain() throws {
    try withCache { cache, path in
      let first = try VisionTransformer(path: path, cache: cache)
      try VisionTransformer.writeSeeded(geometry: .tiny(), seed: 2, to: path)
      let second = try VisionTransformer(path: path, cache: cache)
      #expect(!second.weightsAreFromCache && second.hash != first.hash)
      #expect(try second.sample() == VisionTransformer(path: path).sample())
      #expect(try second.sample() != first.sample())
    }
  }

  @Test func aMappedModelOutlivesItsFiles() throws {
    try withCache { cache, path in
      let expected = try VisionTransformer(path: path, cache: cache).sample()
      let mapped = try VisionTransformer(path: path, cache: cache)
      _ = try cache.clear()
      try FileManager.default.removeItem(atPath: path)
      #expect(try mapped.sample() == expected)
    }
  }

  @Test func loadsAtTheSameTimeAgree() throws {
    try withCache { cache, path in
      let expected = try VisionTransformer(path: path).sample()
      let results = Locked<[Bool]>([])
      DispatchQueue.concurrentPerform(iterations: 8) { _ in
        let isRight = (try? VisionTransformer(path: path, cache: cache).sample() == expected) ?? false
        results.append(isRight)
      }
      #expect(results.value == Array(repeating: true, count: 8))
      #expect(try FileManager.default.contentsOfDirectory(atPath: cache.folder).count == 1)
    }
  }

  @Test(arguments: [Float.nan, .infinity])
  func weightsThatAreNotFiniteAreRefusedAndLeaveNothing(value: Float) throws {
    try withCache { cache, path in
      let file = try SafetensorsFile(path: path)
      let tensors = try file.tensorNames.map { name in
        var values = try file.floats(of: name)
        if name == "blocks.1.mlp.fc2.weight" { values[5] = value }
        return (name, file.shape(of: name) ?? [], values)
      }
      try write(SafetensorsFile.encode(tensors: tensors, metadata: file.metadata), to: path)
      let fault = #expect(throws: Fault.self) { try VisionTransformer(path: path, cache: cache) }
      #expect(fault?.description.contains("blocks.1.mlp.fc2.weight: contains NaN or infinity") == true)
      #expect(try FileManager.default.contentsOfDirectory(atPath: cache.folder).isEmpty)
    }
  }

  @Test func whereNothingCanBeKeptModelsLoadAllTheSame() throws {
    try withCache { _, path in
      let expected = try VisionTransformer(path: path).sample()
      // A file is no folder, for root either.
      let nowhere = WeightsCache(folder: path + "/cache")
      for _ in 0..<2 {
        let model = try VisionTransformer(path: path, cache: nowhere)
        #expect(!model.weightsAreFromCache)
        #expect(try model.sample() == expected)
      }
      #expect(!nowhere.isWritable && nowhere.entries().isEmpty)
    }
  }
}

/// What threads add to in turn.
private final class Locked<Value: Sendable>: @unchecked Sendable {
  private let lock = NSLock()
  private var content: Value

  init(_ value: Value) { content = value }

  var value: Value { lock.withLock { content } }

  func append<Element>(_ element: Element) where Value == [Element] {
    lock.withLock { content.append(element) }
  }
}

// MARK: - Damage

@Suite struct WeightsCacheDamageTests {
  /// Puts bytes in the place of the packed weights of a tiny model, loads, and expects that they were not used.
  private func expectRebuilt(
    _ cache: WeightsCache, _ path: String, whole: [UInt8], damaged: [UInt8], _ what: String
  ) throws {
    let packed = try cache.onlyPath
    try write(damaged, to: packed)
    #expect(try VisionTransformer(path: path, cache: cache).weightsAreFromCache == false, "\(what)")
    #expect(bytes(ofFile: packed) == whole, "\(what)")
  }

  private func withPacked(_ body: (WeightsCache, _ path: String, _ whole: [UInt8]) throws -> Void) throws {
    try withCache(.tiny(width: 8, depth: 1)) { cache, path in
      _ = try VisionTransformer(path: path, cache: cache)
      let whole = try #require(bytes(ofFile: cache.onlyPath))
      try body(cache, path, whole)
      #expect(try VisionTransformer(path: path, cache: cache).weightsAreFromCache)
    }
  }

  @Test func everyByteOfHeaderAndTableCounts() throws {
    try withPacked { cache, path, whole in
      for place in Array(0..<64) + Array(tableOffset(whole)..<whole.count) {
        var damaged = whole
        damaged[place] ^= 1 << (place % 8)
        #expect(damaged.withUnsafeBytes { PackedWeightsLayout.Table(of: $0) } == nil, "byte \(place)")
      }
      for place in [0, 8, 12, 16, 24, 32, 40, 63, tableOffset(whole), whole.count - 1] {
        var damaged = whole
        damaged[place] ^= 1
        try expectRebuilt(cache, path, whole: whole, damaged: damaged, "byte \(place)")
      }
    }
  }

  private func tableOffset(_ file: [UInt8]) -> Int {
    file[24..<32].reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  @Test func everyArrayCounts() throws {
    try withPacked { cache, path, whole in
      let table = try #require(whole.withUnsafeBytes { PackedWeightsLayout.Table(of: $0) })
      for array in table.arrays {
        for place in [array.range.lowerBound, array.range.upperBound - 1] {
          var damaged = whole
          damaged[place] ^= 0x80
          try expectRebuilt(cache, path, whole: whole, damaged: damaged, "\(array.name), byte \(place)")
        }
      }
    }
  }

  @Test func everyLengthButTheOwnIsRefused() throws {
    try withPacked { cache, path, whole in
      for length in whole.indices {
        let cut = whole.withUnsafeBytes {
          PackedWeightsLayout.Table(of: UnsafeRawBufferPointer(rebasing: $0[..<length]))
        }
        #expect(cut == nil, "\(length) bytes")
      }
      for length in [0, 1, 63, 64, 65, tableOffset(whole), whole.count - 1] {
        try expectRebuilt(cache, path, whole: whole, damaged: Array(whole.prefix(length)), "\(length) bytes")
      }
      try expectRebuilt(cache, path, whole: whole, damaged: whole + [0], "a byte more")
    }
  }

  /// Sound files that claim what is not so, checksums and all.
  @Test func tablesThatLieAreRefused() throws {
    try withPacked { cache, path, whole in
      let table = try #require(whole.withUnsafeBytes { PackedWeightsLayout.Table(of: $0) })
      let offset = tableOffset(whole)
      func file(_ arrays: [PackedWeightsLayout.Place], key: String? = nil) -> [UInt8] {
        let table = PackedWeightsLayout.Table(key: key ?? table.key, model: table.model, arrays: arrays)
        return table.header(tableOffset: offset) + whole[64..<offset] + table.encoded
      }
      #expect(file(table.arrays) == whole)
      let first = table.arrays[0]
      func moved(to range: Range<Int>) -> [UInt8] {
        file([.init(name: first.name, range: range, checksum: first.checksum)] + table.arrays.dropFirst())
      }
      let lies: [(String, [UInt8])] = [
        ("an array beyond the table", moved(to: first.range.lowerBound..<offset + 64)),
        ("an array far away", moved(to: 1 << 40..<1 << 40 + first.range.count)),
        ("an endless array", moved(to: first.range.lowerBound..<Int.max)),
        ("an array in the header", moved(to: 0..<first.range.count)),
        ("an array off its line", moved(to: first.range.lowerBound + 4..<first.range.upperBound)),
        ("an empty array", moved(to: first.range.lowerBound..<first.range.lowerBound)),
        ("an array twice", file(table.arrays + [first])),
        ("an array missing", file(Array(table.arrays.dropLast()))),
        ("arrays of other names", file([.init(name: "x", range: first.range, checksum: first.checksum)])),
        ("no arrays", file([])), ("weights of another model", file(table.arrays, key: "x")),
      ]
      for (lie, bytes) in lies { try expectRebuilt(cache, path, whole: whole, damaged: bytes, lie) }
    }
  }
}

// MARK: - Room

@Suite struct WeightsCacheRoomTests {
  @Test func theFolderIsThatOfTheUsersCaches() {
    func folder(_ variables: [String: String]) -> String? { WeightsCache { variables[$0] }?.folder }
    #expect(folder(["CELLVEC_CACHE": "/c", "XDG_CACHE_HOME": "/x", "HOME": "/h"]) == "/c")
    #expect(folder(["CELLVEC_CACHE": "", "XDG_CACHE_HOME": "/x", "HOME": "/h"]) == "/x/cellvec")
    #expect(folder(["XDG_CACHE_HOME": "x", "HOME": "/h"]) == "/h/.cache/cellvec")
    #expect(folder(["CELLVEC_CACHE": "off", "XDG_CACHE_HOME": "/x", "HOME": "/h"]) == nil)
    #expect(folder(["HOME": ""]) == nil && folder([:]) == nil)
  }

  /// Makes a file of a size, last used so many days ago.
  private func makeFile(_ path: String, byteCount: Int64 = 1, unusedDays: Double) throws {
    try write([1], to: path)
    #expect(truncate(path, off_t(byteCount)) == 0)
    let date = Date(timeIntervalSinceNow: -86_400 * unusedDays)
    try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path)
  }

  private func name(_ number: Int) -> String { "\(ContentHash(of: "\(number)"))-float32-avx2.weights" }

  @Test func whatIsOldOrTooMuchGoesWhenWeightsAreAdded() throws {
    try withCache { cache, path in
      try FileManager.default.createDirectory(atPath: cache.folder, withIntermediateDirectories: true)
      let limit = Int64(WeightsCache.maximumByteCount)
      let digest = "\(ContentHash(of: "d")).digest"
      let files: [(name: String, byteCount: Int64, unusedDays: Double, stays: Bool)] = [
        (name(1), limit, 0.5, true), (name(2), 1, 2, false), (name(3), 1, 91, false),
        (digest, 1, 91, false), ("mine.weights", limit, 400, true), ("notes.txt", 1, 400, true),
        (name(4) + ".k2x.partial", 1, 0.5, true), (name(5) + ".k2x.partial", 1, 2, false),
      ]
      for file in files {
        try makeFile("\(cache.folder)/\(file.name)", byteCount: file.byteCount, unusedDays: file.unusedDays)
      }
      _ = try VisionTransformer(path: path, cache: cache)
      for file in files {
        let exists = FileManager.default.fileExists(atPath: "\(cache.folder)/\(file.name)")
        #expect(exists == file.stays, "\(file.name)")
      }
      #expect(try VisionTransformer(path: path, cache: cache).weightsAreFromCache)
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
  func weightsOfAnotherUserAreNotTrusted() throws {
    try withCache { cache, path in
      _ = try VisionTransformer(path: path, cache: cache)
      let packed = try cache.onlyPath
      #expect(chown(packed, 1234, 1234) == 0)
      #expect(cache.entries().map(\.model) == [nil])
      // They are packed anew, in the place of the other's.
      #expect(try !VisionTransformer(path: path, cache: cache).weightsAreFromCache)
      #expect(FileIdentity(path: packed)?.owner == 0)
      #expect(try VisionTransformer(path: path, cache: cache).weightsAreFromCache)
    }
  }

  @Test func aUseIsNoted() throws {
    try withCache { cache, path in
      _ = try VisionTransformer(path: path, cache: cache)
      let packed = try cache.onlyPath
      let old = Date(timeIntervalSinceNow: -86_400 * 50)
      try FileManager.default.setAttributes([.modificationDate: old], ofItemAtPath: packed)
      #expect(cache.entries().map(\.unusedDays) == [50])
      #expect(try VisionTransformer(path: path, cache: cache).weightsAreFromCache)
      #expect(cache.entries().map(\.unusedDays) == [0])
    }
  }

  @Test func clearingRemovesOurFilesAndNoOthers() throws {
    try withCache { cache, path in
      _ = try VisionTransformer(path: path, cache: cache)
      try write([1], to: cache.folder + "/notes.txt")
      #expect(try cache.clear().fileCount == 1)
      #expect(try FileManager.default.contentsOfDirectory(atPath: cache.folder) == ["notes.txt"])
      #expect(try cache.clear().fileCount == 0)
    }
  }

  @Test func damagedFilesAreListedWithoutAModel() throws {
    try withCache { cache, path in
      _ = try VisionTransformer(path: path, cache: cache)
      #expect(cache.entries().map(\.model) == ["tiny"])
      try write([1], to: cache.onlyPath)
      #expect(cache.entries().map(\.model) == [nil])
    }
  }
}
