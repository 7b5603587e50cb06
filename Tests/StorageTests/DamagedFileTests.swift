import Faults
import FoundationEssentials
import Glibc
import Randomness
import TestSupport
import Testing

@testable import Storage

/// The data file with changed bytes, cut short, or overwritten in part: whatever is in it, opening, checking, reading and
/// writing end in a result or a fault, and a result other than the true one is never one that `check` finds sound.
@Suite struct DamagedFileTests {
  /// CELLVEC_FLIPS=100000 tries more places than a test run has time for.
  private static let flipCount =
    ProcessInfo.processInfo.environment["CELLVEC_FLIPS"].flatMap { Int($0) } ?? 500

  /// A copy of the committed database that can be damaged and mended.
  private final class Victim {
    let path: String
    private let original: [UInt8]
    private var truth: DatabaseContents?

    init(in directory: String) throws {
      path = "\(directory)/db"
      mkdir(path, 0o755)
      original = try #require(bytes(ofFile: fixturePath("databases/v1/data.mdb")))
      mend()
      truth = try Database(path: path).read { try DatabaseContents(of: $0) }
    }

    var byteCount: Int { original.count }
    func byte(at offset: Int) -> UInt8 { original[offset] }

    func mend() { overwrite(original, at: 0, truncatingTo: original.count) }

    func overwrite(_ bytes: [UInt8], at offset: Int, truncatingTo byteCount: Int? = nil) {
      let file = open("\(path)/data.mdb", O_WRONLY | O_CREAT, 0o644)
      defer { close(file) }
      if let byteCount { ftruncate(file, off_t(byteCount)) }
      _ = pwrite(file, bytes, bytes.count, off_t(offset))
    }

    /// Whether something was found to be wrong. A wrong result that nothing was found wrong with fails the test.
    func isNoticed(_ damage: String) -> Bool {
      var isSound = false
      do {
        try Database(path: path).read { snapshot in
          isSound = snapshot.check().isEmpty
          let isTrue = try DatabaseContents(of: snapshot) == truth
          #expect(isTrue || !isSound, "\(damage) changes what is read, and check finds nothing")
        }
      } catch {
        #expect(error is Fault, "\(damage): \(error)")
        #expect(!isSound, "\(damage): \(error), and check finds nothing")
      }
      return !isSound
    }

    /// Does what one verb that writes would, a small ingest, a deletion, a compaction or a repair in turn.
    func tryToWrite(_ number: Int = 0) throws {
      do {
        switch number % 4 {
        case 0: try ingest()
        case 1:
          let writer = try DatabaseWriter(path: path, create: false)
          let deletion = try writer.database.read { try CellDeletion(of: RowSet(0..<3), in: $0) }
          try deletion.run(on: writer, forgetsImages: true)
        case 2:
          _ = try DatabaseWriter.compact(path: path)
          _ = isNoticed("after a compaction, the damage")
        default:
          _ = try Database.repairFront(path: path)
          if try !Database(path: path).check().pages.isEmpty {
            _ = try Database.rebuild(path: path)
          } else {
            _ = try DatabaseWriter(path: path, create: false).repair()
          }
          #expect(try Database(path: path).check().faults.isEmpty)
        }
      } catch { #expect(error is Fault, "\(error)") }
    }

    private func ingest() throws {
      let writer = try DatabaseWriter(path: path, create: false)
      try writer.write { transaction in
        let rows = try transaction.addCells([CellRecord(image: 0, object: .whole, geometry: nil)], of: 0)
        try transaction.setValues([0: .string("new")], of: rows[0])
        guard let space = transaction.space(named: "imported") else { return }
        try [Float](repeating: 1, count: space.dimension).withUnsafeBufferPointer {
          try transaction.setVectors($0, of: rows, in: space)
        }
      }
    }
  }

  @Test func aFlippedBitIsNoticedOrChangesNothing() throws {
    try withTemporaryDirectory { directory in
      let victim = try Victim(in: directory)
      var generator = SeededGenerator(seed: 21)
      var noticed = 0
      for number in 0..<Self.flipCount {
        // Half of the flips fall into the fronts of pages, where the numbers are that lead from one to the next.
        var offset = Int(generator.next() % UInt64(victim.byteCount))
        if number.isMultiple(of: 2) { offset -= offset % 4096 - Int(generator.next() % 160) }
        let bit = UInt8(1) << (generator.next() % 8)
        victim.overwrite([victim.byte(at: offset) ^ bit], at: offset)
        if victim.isNoticed("bit \(bit) of byte \(offset)") { noticed += 1 }
        if number.isMultiple(of: 4) {
          try victim.tryToWrite(number / 4)
          victim.mend()
        } else {
          victim.overwrite([victim.byte(at: offset)], at: offset)
        }
      }
      print("\(noticed) of \(Self.flipCount) flipped bits were noticed; the others changed nothing")
      #expect(noticed > Self.flipCount / 10)
    }
  }

  @Test func everyBitOfTheFirstTwoPagesIsNoticedOrChangesNothing() throws {
    try withTemporaryDirectory { directory in
      let victim = try Victim(in: directory)
      for page in 0..<2 {
        for offset in page * 4096..<page * 4096 + 152 {
          // The bit of a byte goes round, so that all are met in turn.
          victim.overwrite([victim.byte(at: offset) ^ 1 << UInt8(offset % 8)], at: offset)
          _ = victim.isNoticed("byte \(offset)")
          try victim.tryToWrite(offset)
          victim.mend()
        }
      }
    }
  }

  @Test func aFileCutAtAnyPageIsRefused() throws {
    try withTemporaryDirectory { directory in
      let victim = try Victim(in: directory)
      for length in stride(from: 152, to: victim.byteCount, by: 4095) {
        victim.overwrite([], at: 0, truncatingTo: length)
        #expect(throws: Fault.self, "\(length) bytes") { try Database(path: victim.path) }
        #expect(throws: Fault.self, "\(length) bytes") {
          try DatabaseWriter(path: victim.path, create: false)
        }
        victim.mend()
      }
    }
  }

  @Test func pagesOfNoiseAreNoticedOrFree() throws {
    try withTemporaryDirectory { directory in
      let victim = try Victim(in: directory)
      var generator = SeededGenerator(seed: 22)
      for page in 0..<victim.byteCount / 4096 {
        let noise = (0..<4096).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        victim.overwrite(noise, at: page * 4096)
        _ = victim.isNoticed("noise in page \(page)")
        try victim.tryToWrite(page)
        victim.mend()
      }
    }
  }

  /// Pages that are each right, in the wrong place.
  @Test func pagesThatChangedPlacesAreNoticedOrFree() throws {
    try withTemporaryDirectory { directory in
      let victim = try Victim(in: directory)
      var generator = SeededGenerator(seed: 23)
      let pageCount = UInt64(victim.byteCount / 4096)
      for _ in 0..<60 {
        let from = Int(generator.next() % pageCount) * 4096
        let to = Int(generator.next() % pageCount) * 4096
        var copy = (0..<4096).map { victim.byte(at: from + $0) }
        // With the number of its new place, as if a write had gone astray.
        if generator.next() % 2 == 0 {
          withUnsafeBytes(of: UInt64(to / 4096)) { copy.replaceSubrange(0..<8, with: $0) }
        }
        victim.overwrite(copy, at: to)
        _ = victim.isNoticed("page \(from / 4096) in the place of \(to / 4096)")
        victim.mend()
      }
    }
  }
}
