import Faults
import Formats
import Glibc
import TestSupport
import Testing

@testable import Ingest
@testable import Storage

@Suite struct StreamImportTests {
  /// Imports arrays of dimension 2 with so many vectors, which lie one after another in a file, in commits of 10.
  private func run(
    _ counts: [Int], in directory: String, into writer: DatabaseWriter, endsInNaN: Bool = false,
    report: (StreamImport.Imported) throws -> Void
  ) throws {
    var content: [UInt8] = []
    for (number, count) in counts.enumerated() {
      var values = (0..<count * 2).map { Float($0 % 97 + number) }
      if endsInNaN, number == counts.count - 1 { values[values.count - 1] = .nan }
      var array = try NPYWriter(path: "\(directory)/array.npy", dimension: 2)
      try array.write(values)
      try array.close()
      content += try #require(bytes(ofFile: "\(directory)/array.npy"))
    }
    try write(content, to: "\(directory)/arrays")
    let descriptor = open("\(directory)/arrays", O_RDONLY | O_CLOEXEC)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    try StreamImport(descriptor: descriptor, name: "arrays", isCancelled: { false }).run(
      into: "s", keeping: nil, of: writer, rowsPerCommit: 10, report: report)
  }

  @Test func anArrayIsReportedNoLaterThanWithTheFirstCommitOfTheNext() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      var reported = 0
      try run([95, 60, 60], in: directory, into: writer) { array in
        reported += array.count
        #expect(array.outcome.added == array.count)
        // A stream has the database for itself.
        #expect(array.outcome.cells == Row(reported - array.count)...Row(reported - 1))
        let present = try writer.database.read { try Int($0.rowLimit()) }
        #expect(present >= reported && present <= reported + 10)
      }
      #expect(reported == 215)
    }
  }

  @Test func theFirstErrorIsThrownAndWhatCameBeforeIsReported() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      var reported: [Int] = []
      let fault = #expect(throws: Fault.self) {
        try run([30, 20, 10], in: directory, into: writer, endsInNaN: true) { reported.append($0.count) }
      }
      #expect(fault?.subject == "array 3 of arrays")
      #expect(reported == [30, 20])
    }
  }

  /// A failed wait for the disk, behind which the next one would say that all is well.
  @Test func anArrayThatMayBeLostIsNotReported() throws {
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      try run([10], in: directory, into: writer) { _ in }
      try writer.write(durable: .withNext) { _ = try $0.addSpace(name: "other", dimension: 3) }
      writer.database.environment.pendingCommit.fail()
      var reported = 0
      let fault = #expect(throws: Fault.self) {
        // Present already, so that nothing is committed and the disk has to be waited for.
        try run([10], in: directory, into: writer) { _ in reported += 1 }
      }
      #expect(fault?.kind == .inputOutput)
      #expect(reported == 0)
    }
  }
}
