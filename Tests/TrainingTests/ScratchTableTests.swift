import Faults
import Glibc
import Randomness
import TestSupport
import Testing

@testable import Training

@Suite struct ScratchTableTests {
  /// In memory, and mapped.
  @Test(arguments: [1 << 20, 0]) func aTableIsZerosUntilItIsWritten(memoryLimit: Int) throws {
    let table = try ScratchTable<Int32>(count: 5000, memoryLimit: memoryLimit)
    #expect(table.count == 5000 && table.allSatisfy { $0 == 0 })
    for place in table.indices { table[place] = Int32(place) }
    #expect(Array(table) == [Int32](0..<5000))
    #expect(Array(table[4998...]) == [4998, 4999])
    #expect(try ScratchTable([Int32](0..<5000)) == table)
    #expect(try ScratchTable<Int32>(count: 0, memoryLimit: memoryLimit).isEmpty)
  }

  @Test func threadsHaveTheLimitOfTheirCaller() {
    let outer = ScratchSpace.memoryLimit
    let limits = ScratchSpace.$memoryLimit.withValue(7) {
      concurrentMap(100, threads: 4) { _ in ScratchSpace.memoryLimit }
    }
    #expect(limits == Array(repeating: 7, count: 100) && ScratchSpace.memoryLimit == outer)
  }

  @Test func aMappedTableLeavesNoFileBehind() throws {
    try withTemporaryDirectory { folder in
      let start = try ScratchSpace.map(byteCount: 100_000, in: folder)
      defer { munmap(start, 100_000) }
      memset(start, 1, 100_000)
      // As where a file system has no files without a name.
      let named = ScratchSpace.openNamed(folder)
      #expect(named >= 0 && fcntl(named, F_GETFD) == FD_CLOEXEC)
      defer { close(named) }
      // Only the two names that every folder has.
      let listing = try #require(opendir(folder))
      defer { closedir(listing) }
      var names = 0
      while readdir(listing) != nil { names += 1 }
      #expect(names == 2)
    }
  }

  @Test func aFolderThatTakesNoFileIsAFaultThatNamesItAndTheBytes() throws {
    let missing = #expect(throws: Fault.self) { try ScratchSpace.map(byteCount: 4096, in: "/nowhere") }
    #expect(
      missing?.description
        == "/nowhere: cannot hold 4096 bytes of intermediate results: no such file or directory; "
        + "name a folder with room for them in TMPDIR")
    withTemporaryDirectory { folder in
      let large = #expect(throws: Fault.self) { try ScratchSpace.map(byteCount: 1 << 60, in: folder) }
      #expect(large?.subject == folder && large?.problem.contains("cannot hold \(1 << 60) bytes") == true)
    }
  }
}

@Suite struct SampleSetTests {
  @Test(arguments: 0..<8 as Range<UInt64>) func aSetHasTheSamplesThatItWasMadeOf(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let limit = 1 + Int(generator.next() % 300)
    func drawn() -> Set<Int32> {
      Set((0..<Int32(limit)).filter { _ in generator.uniform() < 0.3 })
    }
    let (left, right) = (drawn(), drawn())
    let (first, second) = (SampleSet(left), SampleSet(right))
    #expect(Array(first) == left.sorted() && first.count == left.count)
    #expect((0..<Int32(limit + 100)).allSatisfy { first.contains($0) == left.contains($0) })
    #expect(Array(first.union(second)) == left.union(right).sorted())
    #expect(first.union(second) == second.union(first))
    #expect(SampleSet(below: limit) { left.contains($0) } == first)
    #expect(SampleSet([Int32]()).count == 0 && Array(SampleSet([Int32]())) == [])
  }
}
