import Faults
import Glibc
import TestSupport
import Testing

@testable import Storage

/// The two pages with which a data file begins, without seals: either is enough to go on, and nothing is without both.
@Suite struct FrontTests {
  private static let metaByteCount = PageFormat.headerByteCount + PageFormat.metaByteCount

  @Test(arguments: ["zeros", "noise", "torn"], [true, false])
  func aDamagedPageIsMadeAnewFromTheOther(damage: String, isNewest: Bool) throws {
    try withTemporaryDirectory { directory in
      let victim = try FrontVictim(in: directory, isSealed: false)
      let page = isNewest ? victim.newestPage : 1 - victim.newestPage
      let other = (1 - page) * 4096
      switch damage {
      case "zeros": victim.write(repeatElement(0, count: 4096), at: page * 4096)
      case "noise": victim.write((0..<152).map { UInt8(($0 * 31 + 7) % 251) }, at: page * 4096)
      default:
        // The front half of another commit, and numbers of this one.
        victim.write(victim.original[other + 16..<other + 80].map { $0 ^ 1 }, at: page * 4096 + 16)
      }
      #expect(throws: Fault.self) { try Database(path: victim.path) }
      #expect(throws: Fault.self) { try DatabaseWriter(path: victim.path, create: false) }
      let repair = try #require(try Database.repairFront(path: victim.path))
      #expect(repair.page == page)
      // Only a page that still has its number shows that it was of the commit before.
      #expect(repair.mayHaveLostCommit == (isNewest || damage != "torn"))
      #expect(victim.isSound && victim.contents == victim.truths[1 - page])
      #expect(try Database.repairFront(path: victim.path) == nil)
      // Now either page is as good as the other.
      victim.write(repeatElement(0, count: 4096), at: other)
      #expect(try Database.repairFront(path: victim.path)?.page == 1 - page)
      #expect(victim.isSound && victim.contents == victim.truths[1 - page])
      let writer = try DatabaseWriter(path: victim.path, create: false)
      try writer.write { _ = try $0.field(named: "more", type: .number) }
      #expect(try writer.database.check().faults == [])
    }
  }

  @Test func anyByteOfThePagesIsRepairedOrNamed() throws {
    try withTemporaryDirectory { directory in
      let victim = try FrontVictim(in: directory, isSealed: false)
      var repaired = 0
      for page in 0..<2 {
        for offset in page * 4096..<page * 4096 + Self.metaByteCount {
          let bit = UInt8(1) << UInt8(offset % 8)
          victim.write([victim.original[offset] ^ bit], at: offset)
          let damage = "bit \(bit) of byte \(offset)"
          let repair = try Database.repairFront(path: victim.path)
          if repair != nil { repaired += 1 }
          // The number of the page and the tree of free pages lead to no table.
          if page == victim.newestPage, [0..<8, 44..<88].contains(where: { $0.contains(offset % 4096) }) {
            #expect(repair == nil, "\(damage)")
          }
          if victim.isSound {
            let found = victim.contents
            #expect(victim.truths.values.contains { $0 == found }, "\(damage)")
            if page != victim.newestPage { #expect(found == victim.truths[victim.newestPage], "\(damage)") }
          }
          victim.mend()
        }
      }
      // Those of what leads to the tables, and the marks of the file in either page.
      #expect(repaired > 80)
    }
  }

  @Test(arguments: ["flags of the free tree's root", "a near root", "a far root", "the depth", "the flags"])
  func whatIsWrongOfTheFreePagesAloneLosesNothing(damage: String) throws {
    try withTemporaryDirectory { directory in
      let victim = try FrontVictim(in: directory, isSealed: false)
      let freeTree = victim.newestPage * 4096 + PageFormat.headerByteCount + 24
      let root = victim.original[freeTree + 40..<freeTree + 48].reversed().reduce(0) { $0 << 8 | Int($1) }
      let (offset, bit): (Int, UInt8) =
        switch damage {
        case "flags of the free tree's root": (root * 4096 + PageFormat.flagsOffset, 4)
        case "a near root": (freeTree + 40, 1)
        case "a far root": (freeTree + 43, 1)
        case "the depth": (freeTree + 7, 128)
        default: (freeTree + 4, 4)
        }
      victim.write([victim.original[offset] ^ bit], at: offset)
      let report = try Database(path: victim.path).read { $0.checkReport() }
      #expect(report.primary == [] && report.derived == [] && !report.pages.isEmpty)
      #expect(throws: Fault.self) { try DatabaseWriter(path: victim.path, create: false) }
      #expect(try Database.repairFront(path: victim.path) == nil)
      _ = try Database.rebuild(path: victim.path)
      #expect(victim.isSound && victim.contents == victim.truths[victim.newestPage])
    }
  }

  @Test func aPageThatIsMadeAnewIsKept() throws {
    try withTemporaryDirectory { directory in
      let victim = try FrontVictim(in: directory, isSealed: false)
      let page = victim.newestPage
      victim.write([0xFF], at: page * 4096 + 24 + 16)
      let damaged = try #require(bytes(ofFile: "\(victim.path)/data.mdb"))[page * 4096..<page * 4096 + 4096]
      #expect(try Database.repairFront(path: victim.path)?.page == page)
      #expect(bytes(ofFile: "\(victim.path)/data.mdb.front-damaged") == Array(damaged))
    }
  }

  @Test func aFileOfWhichBothPagesAreDamagedIsLeftAsItIs() throws {
    try withTemporaryDirectory { directory in
      let victim = try FrontVictim(in: directory, isSealed: false)
      for page in 0..<2 { victim.write([0xFF], at: page * 4096 + 24 + 16) }
      let before = bytes(ofFile: "\(victim.path)/data.mdb")
      let fault = #expect(throws: Fault.self) { try Database.repairFront(path: victim.path) }
      #expect(fault?.kind == .badData && fault?.problem.contains("neither of its first two pages") == true)
      #expect(bytes(ofFile: "\(victim.path)/data.mdb") == before)
    }
  }

  @Test func aSoundFileIsLeftAsItIs() throws {
    try withTemporaryDirectory { directory in
      let victim = try FrontVictim(in: directory, isSealed: false)
      #expect(try Database.repairFront(path: victim.path) == nil)
      #expect(try Database.repairFront(path: "\(directory)/nothing") == nil)
      #expect(bytes(ofFile: "\(victim.path)/data.mdb") == victim.original)
    }
  }
}

extension FrontRepair {
  fileprivate var page: Int? { if case .madeAnew(let page, _) = self { page } else { nil } }
  fileprivate var mayHaveLostCommit: Bool {
    if case .madeAnew(_, let hasLostNothing) = self { !hasLostNothing } else { false }
  }
}
