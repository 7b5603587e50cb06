import ArgumentParser
import Faults
import Storage

/// `cellvec check`: looks for contradictions in a database.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Read the whole database and report what contradicts itself.",
    discussion: """
      Checksums of all vectors are verified and every index is compared with the
      cells that it is made from. Ends with status 65 when something is wrong.

      Example:
        cellvec check --db lab.cellvec
      """)

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var talk: TalkOptions

  func run() throws {
    let faults = try database.open().read { $0.check() }
    guard !faults.isEmpty else { return talk.say("no faults found") }
    let rows = faults.map { [Value.text($0.subject), .text($0.problem), .text($0.remedy)] }
    try StandardOutput.write(Report(["subject", "problem", "remedy"], rows: rows), as: output.format)
    throw ExitStatus.badData
  }
}
