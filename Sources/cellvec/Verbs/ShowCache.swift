import ArgumentParser
import Backbone

/// `cellvec models cache`.
struct ShowCache: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "cache", abstract: "Show or clear the packed weights that models load from.",
    discussion: """
      The first load of a model keeps its weights as this processor multiplies them; \
      later ones map that file. It lies in $CELLVEC_CACHE, or in cellvec in \
      $XDG_CACHE_HOME or ~/.cache, and can always be made again. CELLVEC_CACHE=off \
      keeps nothing.

      Examples:
        cellvec models cache
        cellvec models cache --clear
      """)

  @Flag(help: "Remove all of it.") var clear = false
  @OptionGroup var output: OutputOptions
  @OptionGroup var talk: TalkOptions

  func run() throws {
    let cache = ModelRegistry.standard.cache
    if clear {
      let gone = try cache?.clear()
      talk.say("removed \(gone?.fileCount ?? 0) files, \(megabytes(gone?.byteCount ?? 0))")
      return
    }
    let entries = cache?.entries() ?? []
    try StandardOutput.write(report(entries), as: output.format)
    guard let cache else {
      talk.say("no cache: \(WeightsCache.variable) is off, or none of the variables is set")
      return
    }
    let size = megabytes(entries.reduce(0) { $0 + $1.byteCount })
    talk.say(
      "\(cache.folder): \(size)\(cache.isWritable ? "" : "; nothing can be added, check its permissions")")
  }

  private func report(_ entries: [WeightsCache.Entry]) -> Report {
    Report(
      ["model", "hash", "precision", "instruction_set", "bytes", "unused_days", "file"],
      rows: entries.map { entry in
        [
          .text(entry.model), .text(entry.hash), .text(entry.precision), .text(entry.instructionSet),
          .integer(entry.byteCount), .integer(entry.unusedDays), .text(entry.path),
        ]
      })
  }

  private func megabytes(_ byteCount: Int) -> String { "\(fixed(Double(byteCount) / 1e6, decimals: 1)) MB" }
}
