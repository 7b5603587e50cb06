import ArgumentParser
import Faults
import Storage

/// `cellvec check`: looks for contradictions in a database.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "check", abstract: "Read the whole database and report what contradicts itself.",
    usage: "cellvec check [<options>]",
    discussion: """
      All checksums are verified, and every index is compared with the cells that
      it is made from. Ends with status 65 when something is wrong. With --repair,
      indexes and dictionaries are made anew from the rest, where nothing of that
      is damaged; where pages of theirs are, the whole file is, and the damaged
      one is kept beside it. Of the two pages with which the file begins, a bit
      that has changed is changed back; where more is wrong, one is made anew from
      the other. Where it was that of the last commit, this commit is lost. The
      page as it was is kept as data.mdb.front-damaged.

      Examples:
        cellvec check --db lab.cellvec
        cellvec check --db lab.cellvec --repair
      """)

  @OptionGroup var database: DatabaseOptions
  @Flag(help: "Make damaged indexes and dictionaries anew.") var repair = false
  @OptionGroup var writer: WriterOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var talk: TalkOptions

  func run() throws {
    if repair { try repairFront() }
    var faults = try database.open().check()
    if repair, faults.primary.isEmpty, !faults.faults.isEmpty {
      let path = try database.path()
      if !faults.pages.isEmpty {
        let kept = try Database.rebuild(path: path) { writer.waits(for: $0, path: path, isQuiet: talk.quiet) }
        talk.say("made the data file anew; the damaged one is kept as \(kept)")
      } else {
        talk.say("repaired \(try writer.open(path: path, isQuiet: talk.quiet).repair()) records")
      }
      faults = try database.open().check()
    } else if repair, !faults.primary.isEmpty {
      talk.say(
        "nothing was repaired: records that follow from no others are damaged; restore a copy, or save the rest with cellvec export --salvage"
      )
    }
    try report(faults.faults)
  }

  private func repairFront() throws {
    let path = try database.path()
    while let repair = try Database.repairFront(
      path: path, onWait: { writer.waits(for: $0, path: path, isQuiet: talk.quiet) })
    {
      switch repair {
      case .restored:
        talk.say("changed the first pages of the data file back to what was written; nothing is lost with it")
      case .madeAnew(let page, let hasLostNothing):
        let loss = hasLostNothing ? "nothing is lost with it" : "what the last commit wrote may be lost"
        talk.say("made page \(page) of the data file anew from page \(1 - page); \(loss)")
      }
    }
  }

  private func report(_ faults: [Fault]) throws {
    guard !faults.isEmpty else { return talk.say("no faults found") }
    let rows = faults.map { [Value.text($0.subject), .text($0.problem), .text($0.remedy)] }
    try StandardOutput.write(Report(["subject", "problem", "remedy"], rows: rows), as: output.format)
    throw ExitStatus.badData
  }
}
