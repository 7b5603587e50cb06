import ArgumentParser
import Glibc
import Testing

@testable import cellvec

@Suite struct InterruptionTests {
  @Test func whatIsLeftOfInterruptedWorkIsSaid() {
    #expect(Interruption.Remains.part.remedy.contains("run the same command to go on"))
    #expect(Interruption.Remains.nothing.remedy.contains("nothing was saved"))
    #expect(
      Interruption.Remains.saved(3, of: "images").remedy
        == "images that this run saved: 3; run the same command to go on")
    // There may be others, which an earlier run has saved.
    #expect(
      Interruption.Remains.saved(0, of: "images").remedy
        == "no new images were saved; run the same command to go on")
  }

  /// Where the figures of a saved evaluation were being drawn, hours of training are not lost.
  @Test(arguments: [
    ("eval.json", "lab.cellvec", "report/"), ("my eval.json", "it's/$HOME db", "\"page\" *.html"),
    ("é", "a;b", "c'"),
  ])
  func aSavedEvaluationIsDrawnByTheCommandThatIsSaid(path: String, database: String, report: String) throws {
    let remedy = Interruption.Remains.evaluation(path: path, database: database, report: report).remedy
    let words = "the evaluation is saved; draw it with cellvec "
    try #require(remedy.hasPrefix(words))
    let arguments = try shellWords(String(remedy.dropFirst(words.count)))
    let command = try #require(try Cellvec.parseAsRoot(arguments) as? ReportCommand)
    #expect(command.evaluation == path && command.output == report)
    #expect(try command.database.path() == database)
  }

  /// The words of a command line as a shell has them.
  private func shellWords(_ line: String) throws -> [String] {
    let shell = try #require(popen("printf '%s\\n' \(line)", "r"))
    defer { pclose(shell) }
    var bytes: [UInt8] = []
    var byte = getc(shell)
    while byte != EOF {
      bytes.append(UInt8(truncatingIfNeeded: byte))
      byte = getc(shell)
    }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
