import ArgumentParser
import Storage

/// `cellvec heads`: the classifiers that were trained.
struct Heads: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "heads", abstract: "List trained heads.", subcommands: [ListHeads.self],
    defaultSubcommand: ListHeads.self)
}

/// `cellvec heads list`.
struct ListHeads: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List heads with their spaces and scores.",
    discussion: """
      macro_f1 is the mean over the folds of cross-validation, macro_f1_sd its
      sample standard deviation, and grouped_by what the folds kept together.

      Example:
        cellvec heads list --db lab.cellvec
      """)

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let heads = try database.open().read { try HeadListing.all(in: $0) }
    try StandardOutput.write(HeadListing.report(of: heads), as: output.format)
  }
}
