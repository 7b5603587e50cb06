import ArgumentParser
import Faults
import Glibc
import Kernels

/// How a report is written.
struct OutputOptions: ParsableArguments {
  @Flag(exclusivity: .exclusive)
  private var chosen: OutputFormat?

  var format: OutputFormat { chosen ?? .table }
}

/// Whether a command talks on stderr.
struct TalkOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Say nothing but errors on stderr.")
  var quiet = false

  func say(_ message: String) {
    if !quiet { StandardError.writeLine(message) }
  }
}

/// Whether the user wants what cannot be undone.
struct ConfirmationOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Do not ask.") private var yes = false

  /// Asks at the terminal, unless --yes has answered.
  /// - Parameter deed: what is about to be done, as "delete 12 of 40 cells".
  /// - Throws: `cancelled` for any answer but yes, `usage` where nobody can be asked.
  func require(_ deed: String) throws {
    if yes { return }
    guard isatty(STDIN_FILENO) == 1 else {
      throw Fault(.usage, "--yes", "is needed where nobody can be asked, to \(deed)")
    }
    StandardError.write(escapingControls(in: deed) + "? [y/N] ")
    if let answer = readLine()?.lowercased(), ["y", "yes"].contains(answer) { return }
    throw Fault(.cancelled, "", "nothing was changed")
  }
}

/// How much of the machine a command uses.
struct ThreadOptions: ParsableArguments {
  static let limit = 1024

  @Option(help: ArgumentHelp("Threads; as many as the process may use by default.", valueName: "count"))
  private var threads: Int?

  /// The number of threads to use.
  var count: Int { threads ?? Int(kernels_processor_count()) }

  func validate() throws {
    guard let threads, !(1...Self.limit).contains(threads) else { return }
    throw ValidationError("--threads: expected 1 to \(Self.limit), found \(threads)")
  }
}

/// The path from the root of the file system, so that it still leads there from another folder. A link stays one:
/// files that belong to it lie beside it, not beside what it points to.
func absolutePath(_ path: String) -> String {
  let (folder, name) =
    path.lastIndex(of: "/").map { (String(path[...$0]), path[path.index(after: $0)...]) } ?? (".", path[...])
  guard let resolved = realpath(folder, nil) else { return path }
  defer { free(resolved) }
  let absolute = String(cString: resolved)
  return absolute == "/" ? "/\(name)" : "\(absolute)/\(name)"
}
