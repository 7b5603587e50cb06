import Faults
import Glibc
import TestSupport
import Testing

@testable import Formats

@Suite struct OutputFilesTests {
  @Test func noFileOfADatabaseIsWrittenOver() {
    withTemporaryDirectory { folder in
      for name in ["data.mdb", "lock.mdb", "writer.lock"] {
        for path in ["\(folder)/\(name)", "\(folder)//\(name)"] {
          #expect(throws: Fault.self) { try AtomicFile(path: path).commit() }
          let fault = #expect(throws: Fault.self) { try NPYWriter(path: path, dimension: 3).close() }
          #expect(fault?.kind == .cannotCreate && fault?.remedy == "give another name")
        }
      }
    }
  }

  @Test func anOutputIsNoInputAndNoOtherOutput() throws {
    try withTemporaryDirectory { folder in
      try AtomicFile(path: "\(folder)/in").commit()
      #expect(symlink("in", "\(folder)/link") == 0)
      for output in ["\(folder)/in", "\(folder)/./in", "\(folder)/link"] {
        let fault = #expect(throws: Fault.self) {
          try requireSeparateFiles(outputs: [output], inputs: ["\(folder)/in"])
        }
        #expect(fault?.kind == .usage)
      }
      #expect(throws: Fault.self) {
        try requireSeparateFiles(outputs: ["\(folder)/new", "\(folder)/./new"])
      }
      #expect(throws: Fault.self) { try requireSeparateFiles(outputs: ["none/new", "none/new"]) }
      try requireSeparateFiles(
        outputs: ["\(folder)/new", "\(folder)/other"], inputs: ["\(folder)/in", "gone"])
    }
  }
}
