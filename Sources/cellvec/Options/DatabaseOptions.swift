import ArgumentParser
import Faults
import Storage

/// Which database a command works on.
struct DatabaseOptions: ParsableArguments {
  /// Environment variable that names the database where --db is left out.
  static let variable = "CELLVEC_DB"

  @Option(
    name: .customLong("db"),
    help: ArgumentHelp("Directory of the database; default $\(variable).", valueName: "directory"))
  private var directory: String?

  /// - Throws: `usage` when no database is named.
  func path() throws -> String {
    if let path = directory ?? cellvec.variable(Self.variable), !path.isEmpty { return path }
    throw Fault(
      .usage, "--db", "names no database", remedy: "give its directory with --db, or set \(Self.variable)")
  }

  /// The database, for reading.
  func open() throws -> Database {
    let path = try path()
    let database = try Database(path: path)
    warnOfPlace(path)
    return database
  }
}

/// Tells what is not safe where a database lies.
private func warnOfPlace(_ path: String) {
  if let caution = Database.cautionAboutPlace(of: path) { StandardError.writeLine("cellvec: \(caution)") }
}

/// What a command does while another process writes to its database.
struct WriterOptions: ParsableArguments {
  @Flag(
    name: .customLong("no-wait"),
    help: "End with status 75 while another process writes.")
  private var failsWhenLocked = false

  /// Whether to wait for a process that writes; says so.
  func waits(for holder: String, path: String, isQuiet: Bool) -> Bool {
    guard !failsWhenLocked else { return false }
    if !isQuiet { StandardError.writeLine("cellvec: waiting for \(holder), which is writing to \(path)") }
    return true
  }

  /// The database, for writing, as soon as no other process writes to it.
  func open(path: String, create: Bool = false, isQuiet: Bool = false) throws -> DatabaseWriter {
    let writer = try DatabaseWriter(path: path, create: create) {
      waits(for: $0, path: path, isQuiet: isQuiet)
    }
    warnOfPlace(path)
    return writer
  }
}
