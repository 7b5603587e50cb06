import ArgumentParser
import Filter
import Storage

/// `cellvec count`: how many cells there are, and what each part of a filter does to them.
struct Count: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "count", abstract: "Count the cells that match a condition.",
    usage: "cellvec count [<options>]",
    discussion: """
      --explain shows the cells and the time of each part of the condition, in which
      NOT is drawn in to the tests it turns round.

      Examples:
        cellvec count --db lab.cellvec --where "cell.area > 300" --explain
        cellvec count --where "gene IN :genes" --param-file genes=hits.txt
      """)

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var selection: WhereOptions
  @Flag(help: "Show what each part of the condition selects.") var explain = false
  @Option(help: ArgumentHelp("Evaluate it so often; times are medians.", valueName: "count")) var runs = 1
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if runs < 1 { throw ValidationError("--runs: expected at least 1, found \(runs)") }
    if explain && !selection.isGiven { throw ValidationError("--explain needs --where") }
    if runs > 1 && !explain { throw ValidationError("--runs goes with --explain") }
  }

  func run() throws {
    try database.open().read(expecting: .scattered) { snapshot in
      if explain, let filter = try selection.filter() {
        var explanations = [try filter.explanation(in: snapshot)]
        for _ in 1..<runs { explanations.append(try filter.explanation(in: snapshot)) }
        let report = FilterReport(explanations, isIndented: output.format == .table).report
        return try StandardOutput.write(report, as: output.format)
      }
      let count = try (selection.rows(in: snapshot) ?? snapshot.allRows()).count
      // A bare number is what a shell script wants.
      if output.format == .table { return try StandardOutput.write(lines: ["\(count)"]) }
      try StandardOutput.write(Report(["cells"], rows: [[.integer(count)]]), as: output.format)
    }
  }
}
