import Foundation
import Identity
import TestSupport
import Testing

@testable import Backbone
@testable import Formats

@Suite struct FileDigestTests {
  private func status(
    device: UInt = 1, inode: UInt = 2, byteCount: Int = 3, modified: Int = 1000, changed: Int = 2000,
    nanoseconds: Int = 0
  ) -> stat {
    var status = stat()
    status.st_dev = dev_t(device)
    status.st_ino = ino_t(inode)
    status.st_size = off_t(byteCount)
    status.st_mtim = timespec(tv_sec: modified, tv_nsec: nanoseconds)
    status.st_ctim = timespec(tv_sec: changed, tv_nsec: nanoseconds)
    return status
  }

  private let digest = ContentHash(of: "content")

  @Test func aDigestIsKnownForTheSameIdentityOnly() {
    withTemporaryDirectory { folder in
      let digests = FileDigests(folder: folder)
      let identity = FileIdentity(status())
      #expect(digests.digest(of: [identity]) == nil)
      digests.remember(digest, of: [identity])
      #expect(digests.digest(of: [identity]) == digest)
      let others = [
        status(device: 2), status(inode: 3), status(byteCount: 4), status(modified: 1001),
        status(changed: 2001), status(nanoseconds: 1),
      ]
      for other in others { #expect(digests.digest(of: [FileIdentity(other)]) == nil) }
    }
  }

  @Test func aFileThatHasJustChangedIsNotRemembered() {
    withTemporaryDirectory { folder in
      let now = Int(time(nil))
      for status in [status(modified: now), status(changed: now), status(modified: now + 3600)] {
        let identity = FileIdentity(status)
        FileDigests(folder: folder).remember(digest, of: [identity])
        #expect(FileDigests(folder: folder).digest(of: [identity]) == nil)
      }
    }
  }

  @Test func everyByteOfANoteCounts() throws {
    try withTemporaryDirectory { folder in
      let digests = FileDigests(folder: folder)
      let identity = FileIdentity(status())
      digests.remember(digest, of: [identity])
      let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      let path = folder + "/" + (try #require(names.first))
      let whole = try #require(bytes(ofFile: path))
      for place in whole.indices {
        var damaged = whole
        damaged[place] ^= 1
        try write(damaged, to: path)
        #expect(digests.digest(of: [identity]) == nil, "byte \(place)")
        try write(Array(whole.prefix(place)), to: path)
        #expect(digests.digest(of: [identity]) == nil, "\(place) bytes")
      }
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
  func aNoteOfAnotherUserIsNotTrusted() throws {
    try withTemporaryDirectory { folder in
      let digests = FileDigests(folder: folder)
      let identity = FileIdentity(status())
      digests.remember(digest, of: [identity])
      let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(chown(folder + "/" + (try #require(names.first)), 1234, 1234) == 0)
      #expect(digests.digest(of: [identity]) == nil)
    }
  }

  /// The digest that is noted stands for the content: a false one leads to other weights.
  @Test func anUnchangedFileIsNotReadAgain() throws {
    try withTemporaryDirectory { folder in
      let cache = WeightsCache(folder: folder)
      let path = fixturePath("backbone/one_input.safetensors")
      let first = try VisionTransformer(path: path, cache: cache)
      let identity = try #require(FileIdentity(path: path))
      guard identity.isSettled else { return skip("the fixture has just been written") }
      #expect(cache.digests.digest(of: [identity]) == first.hash)
      let key = WeightsCache.Key(hash: digest, precision: .float32)
      let checkpoint = try ViTCheckpoint(SafetensorsFile(path: path))
      _ = try cache.store(
        key, model: "m", pack: { try ViTWeights.pack(checkpoint, precision: .float32, into: &$0) },
        where: { true })
      cache.digests.remember(digest, of: [identity])
      #expect(try VisionTransformer(path: path, cache: cache).hash == digest)
    }
  }

  @Test func identitiesOfAPathAreThoseOfItsFile() throws {
    try withTemporaryDirectory { folder in
      let path = folder + "/a"
      #expect(FileIdentity(path: path) == nil)
      try write([1, 2, 3], to: path)
      let file = try FileBytes(path: path)
      #expect(file.identity == FileIdentity(path: path) && file.identity?.byteCount == 3 && file.isUnchanged)
      try write([1, 2, 3], to: path + "2")
      #expect(rename(path + "2", path) == 0)
      #expect(!file.isUnchanged)
      file.releasePages()
      #expect(file.withUnsafeBytes { Array($0) } == [1, 2, 3])
    }
  }
}
