import Faults
import Reports
import Storage
import Training

/// A report of an evaluation, drawn with a word on the way.
struct DrawnReport {
  private let report: PrintedReport
  private let remains: Interruption.Remains
  private let talk: TalkOptions

  /// - Parameters:
  ///   - database: where pictures of cells come from; nil for none.
  ///   - remains: what is left where drawing is interrupted.
  init(
    of evaluation: Evaluation, database: Database?, options: PrintedReport.Options = .init(),
    leaving remains: Interruption.Remains = .nothing, talk: TalkOptions
  ) throws {
    self.remains = remains
    self.talk = talk
    Interruption.listen()
    report = try PrintedReport(of: evaluation, options: options, database: database) {
      try Interruption.check(leaving: remains)
    }
  }

  /// Writes the report, and says what became of it. What cannot be shown is no failure: the report says so itself.
  func write(to path: String) throws {
    let output = try report.write(to: path) { try Interruption.check(leaving: remains) }
    let problems = report.pictureProblems
    if let first = problems.first {
      let more = problems.count > 1 ? " (and \(problems.count - 1) more reasons)" : ""
      let (wanted, missing) = report.cellCounts
      talk.say("warning: \(missing) of \(wanted) cells have no picture: \(first)\(more)")
    }
    if let problem = output.pngProblem { talk.say("warning: \(problem)") }
    talk.say("wrote \(output.page) with \(output.figureCount) figures")
  }
}
