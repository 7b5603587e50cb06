import Faults
import Glibc
import TestSupport
import Testing

@testable import Formats

@Suite struct MappedFileTests {
  @Test func whatIsNoRegularFileIsRefused() {
    withTemporaryDirectory { folder in
      // Nobody writes to the pipe: whoever waits for that never returns.
      #expect(mkfifo(folder + "/pipe", 0o600) == 0)
      for path in [folder, folder + "/pipe", "/dev/zero"] {
        let fault = #expect(throws: Fault.self) { try MappedFile(path: path) }
        #expect(fault?.kind == .badData && fault?.description == "\(path): is not a regular file")
      }
    }
  }

  @Test func anEmptyFileHasNoBytes() throws {
    try withTemporaryDirectory { folder in
      try AtomicFile(path: folder + "/empty").commit()
      #expect(try MappedFile(path: folder + "/empty").bytes.isEmpty)
    }
  }
}
