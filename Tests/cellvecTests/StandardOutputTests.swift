import Faults
import Glibc
import Testing

@testable import cellvec

@Suite struct StandardOutputTests {
  @Test func everythingArrivesInOrder() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    var output = StandardOutput(descriptor: ends[1])
    try output.write("a")
    try output.writeLine("b")
    try output.flush()
    try output.flush()
    close(ends[1])
    var bytes = [UInt8](repeating: 0, count: 16)
    #expect(read(ends[0], &bytes, 16) == 3)
    #expect(bytes.prefix(3).elementsEqual("ab\n".utf8))
    close(ends[0])
  }

  @Test func aReaderThatHasLeftIsNoFailure() throws {
    signal(SIGPIPE, SIG_IGN)
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    close(ends[0])
    var output = StandardOutput(descriptor: ends[1])
    try output.write("a")
    var thrown: cellvec.ExitStatus?
    do { try output.flush() } catch { thrown = error as? cellvec.ExitStatus }
    #expect(thrown == .done)
    close(ends[1])
  }

  @Test func aFullDiskIsAFaultOfTheOutput() throws {
    let full = open("/dev/full", O_WRONLY)
    try #require(full >= 0)
    var output = StandardOutput(descriptor: full)
    try output.write("a")
    var thrown: Fault?
    do { try output.flush() } catch { thrown = error as? Fault }
    #expect(thrown?.kind == .inputOutput && thrown?.subject == "stdout")
    close(full)
  }
}
