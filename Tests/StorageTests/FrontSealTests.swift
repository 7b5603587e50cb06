import Faults
import Glibc
import TestSupport
import Testing

@testable import Storage

/// Seals of the two pages with which a data file begins: what has changed is noticed, changed back where it is one bit, and
/// never taken for damage where it is none.
@Suite struct FrontSealTests {
  private static let contentByteCount = PageFormat.headerByteCount + PageFormat.metaByteCount

  private func isRefused(_ victim: FrontVictim) -> Bool {
    var refusals = 0
    for isWriter in [false, true] {
      do {
        if isWriter {
          _ = try DatabaseWriter(path: victim.path, create: false)
        } else {
          _ = try Database(path: victim.path)
        }
      } catch let fault as Fault where fault.kind == .badData {
        refusals += 1
      } catch { Issue.record("\(error)") }
    }
    return refusals == 2
  }

  @Test func aNumberThatHidesTheLastCommitIsNoticedAndChangedBack() throws {
    try withTemporaryDirectory { directory in
      let victim = try FrontVictim(in: directory, isSealed: true)
      let (newest, number) = (victim.newestPage, victim.transaction)
      // As of the commit before the last but one; as of the one behind the last; and far away.
      for (page, altered) in [
        (newest, number - 2), (1 - newest, number + 1), (newest, number + 2), (newest, 0),
      ] {
        victim.number(page, altered)
        #expect(isRefused(victim), "page \(page) as of transaction \(altered)")
        #expect(try Database.repairFront(path: victim.path) == .restored)
        #expect(victim.bytesNow == victim.original)
        victim.mend()
      }
      #expect(victim.isSound)
    }
  }

  @Test func anyBitOfThePagesIsChangedBack() throws {
    try withTemporaryDirectory { directory in
      let victim = try FrontVictim(in: directory, isSealed: true)
      for page in 0..<2 {
        for offset in page * 4096..<page * 4096 + Self.contentByteCount {
          victim.flip(1 << UInt8(offset % 8), at: offset)
          if page == victim.newestPage { #expect(isRefused(victim), "byte \(offset)") }
          #expect(try Database.repairFront(path: victim.path) == .restored, "byte \(offset)")
          #expect(victim.bytesNow == victim.original, "byte \(offset)")
          #expect(try Database.repairFront(path: victim.path) == nil, "byte \(offset)")
          victim.mend()
        }
      }
      #expect(victim.isSound && victim.contents == victim.truths[victim.newestPage])
    }
  }

  @Test func whatThePageOfTheTablesSaysOfThemIsChecked() throws {
    try withTemporaryDirectory { directory in
      let victim = try FrontVictim(in: directory, isSealed: true)
      let root = try #require(try Database(path: victim.path).environment.pages.latest().meta.mainTree.root)
      for offset in stride(from: Int(root) * 4096, to: Int(root + 1) * 4096, by: 61) {
        victim.flip(1 << UInt8(offset % 8), at: offset)
        #expect(isRefused(victim), "byte \(offset)")
        #expect(try Database.repairFront(path: victim.path) == .restored, "byte \(offset)")
        #expect(victim.bytesNow == victim.original, "byte \(offset)")
        victim.mend()
      }
    }
  }

  @Test func moreThanABitIsNoticedAndTheOtherPageCounts() throws {
    try withTemporaryDirectory { directory in
      let victim = try FrontVictim(in: directory, isSealed: true)
      let newest = victim.newestPage
      // The count of the free tree's overflow pages, which leads to no table.
      let offset = newest * 4096 + PageFormat.headerByteCount + 24 + 24
      victim.flip(3, at: offset)
      #expect(isRefused(victim))
      #expect(
        try Database.repairFront(path: victim.path) == .madeAnew(page: newest, hasLostNothing: false))
      #expect(victim.isSound && victim.contents == victim.truths[1 - newest])
      // What was made anew is sealed.
      victim.number(newest, victim.transaction - 4)
      #expect(isRefused(victim))
    }
  }

  @Test func aDamagedSealIsNone() throws {
    try withTemporaryDirectory { directory in
      let victim = try FrontVictim(in: directory, isSealed: true)
      for offset in 0..<MetaSeal.byteCount {
        victim.flip(1 << UInt8(offset % 8), at: victim.newestPage * 4096 + MetaSeal.offset + offset)
        #expect(victim.isSound && victim.contents == victim.truths[victim.newestPage])
        #expect(try Database.repairFront(path: victim.path) == nil)
        victim.mend()
      }
    }
  }

  @Test func aCommitWhoseProcessEndedBeforeItsSealIsSound() throws {
    try withTemporaryDirectory { directory in
      let victim = try FrontVictim(in: directory, isSealed: true)
      let place = (1 - victim.newestPage) * 4096 + MetaSeal.offset
      try FrontVictim.commit(2, to: DatabaseWriter(path: victim.path, create: false))
      let after = try #require(victim.contents)
      victim.write(victim.original[place..<place + MetaSeal.byteCount], at: place)
      #expect(victim.isSound && victim.contents == after)
      #expect(try Database.repairFront(path: victim.path) == nil)
      try FrontVictim.commit(3, to: DatabaseWriter(path: victim.path, create: false))
      #expect(victim.isSound)
    }
  }

  /// LMDB puts number and count of pages of the page back where it could not be written, and leaves the trees.
  @Test func aCommitThatFailedAtItsLastWriteIsNoDamage() throws {
    try withTemporaryDirectory { directory in
      let victim = try FrontVictim(in: directory, isSealed: true)
      let page = (1 - victim.newestPage) * 4096
      try FrontVictim.commit(2, to: DatabaseWriter(path: victim.path, create: false))
      let (count, seal) = (PageFormat.headerByteCount + 120, MetaSeal.offset)
      for part in [count..<count + 16, seal..<seal + MetaSeal.byteCount] {
        victim.write(
          victim.original[page + part.lowerBound..<page + part.upperBound], at: page + part.lowerBound)
      }
      #expect(victim.isSound && victim.contents == victim.truths[victim.newestPage])
      #expect(try Database.repairFront(path: victim.path) == nil)
      try FrontVictim.commit(3, to: DatabaseWriter(path: victim.path, create: false))
      #expect(victim.isSound)
    }
  }

  @Test func compactionsAndCopiesAreSealed() throws {
    try withTemporaryDirectory { directory in
      let victim = try FrontVictim(in: directory, isSealed: false)
      _ = try Database(path: victim.path).backUp(to: "\(directory)/copy")
      _ = try DatabaseWriter.compact(path: victim.path)
      for (path, sealed) in [(victim.path, [0, 1]), ("\(directory)/copy", [1])] {
        let file = open("\(path)/data.mdb", O_RDONLY)
        defer { close(file) }
        for page in sealed {
          let front = try #require(try FrontPage(of: file, at: page * 4096, path))
          #expect(front.seal?.transaction == front.meta?.transaction)
          #expect(try front.isAsSealed { try FrontPage.tables(of: $0, file, path) })
        }
      }
      #expect(victim.isSound && victim.contents == victim.truths[victim.newestPage])
    }
  }

  @Test func oneBitIsFoundAndTwoAreNot() {
    let bytes = (0..<152).map { UInt8(truncatingIfNeeded: $0 * 37) }
    let checksum = MetaSeal.checksum(of: bytes)
    var damaged = bytes
    damaged[77] ^= 16
    #expect(MetaSeal.restored(damaged, checksum: checksum) == bytes)
    damaged[3] ^= 1
    #expect(MetaSeal.restored(damaged, checksum: checksum) == nil)
    #expect(MetaSeal.restored(bytes, checksum: checksum) == bytes)
  }
}
