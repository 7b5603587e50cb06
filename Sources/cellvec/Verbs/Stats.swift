import ArgumentParser

/// `cellvec stats`: what a database holds.
struct Stats: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "stats",
    abstract: "Show what a database holds: images, cells, spaces, fields, heads, and the bytes of each part.",
    discussion: """
      Tables, free pages and LMDB's own pages are the whole file; spaces and fields
      are parts of tables. cellvec compact gives free pages back to the disk.

      Example:
        cellvec stats --db lab.cellvec
      """)

  @OptionGroup var database: DatabaseOptions
  @Flag(help: "Write one JSON object.") var json = false

  func run() throws {
    let statistics = try DatabaseStatistics(of: database.open())
    if json {
      try StandardOutput.writeJSON(statistics)
    } else {
      try StandardOutput.write(lines: statistics.lines)
    }
  }
}
