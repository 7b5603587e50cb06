import ArgumentParser
import Storage

/// `cellvec backup`: a consistent copy.
struct Backup: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "backup", abstract: "Copy a database while others read and write it.",
    discussion: """
      The copy holds what the last commit left. It appears under its name complete,
      or not at all, and is a database like any other. What a backup that was killed
      leaves in DESTINATION.partial, the next one to the same name takes over; where
      something else has that name, it refuses. While a long copy runs, a writer
      cannot use pages again that it frees, so the original may grow.

      Example:
        cellvec backup /backup/lab-2025-06-01.cellvec --db lab.cellvec
      """)

  @Argument(help: "Directory of the copy; must not exist, or be empty.", completion: .directory)
  var destination: String
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let byteCount = try database.open().backUp(to: destination)
    try StandardOutput.write(
      Report(["backup", "bytes"], rows: [[.text(destination), .integer(byteCount)]]), as: output.format)
  }
}
