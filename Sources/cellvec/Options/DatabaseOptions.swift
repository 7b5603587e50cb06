import ArgumentParser
import Faults
import Formats
import Storage
import Synchronization

/// Which database a command works on.
struct DatabaseOptions: ParsableArguments {
  /// Environment variable that names the database where --db is left out.
  static let variable = "CELLVEC_DB"

  @Option(
    name: .customLong("db"),
    help: ArgumentHelp("Directory of the database; default $\(variable).", valueName: "directory"),
    completion: .directory)
  private var directory: String?

  /// Tells, once, what is not safe where the database lies.
  /// - Throws: `usage` when no database is named.
  func path() throws -> String {
    if let path = directory ?? cellvec.variable(Self.variable), !path.isEmpty {
      placeCaution.tell(of: path)
      return path
    }
    throw Fault(
      .usage, "--db", "names no database", remedy: "give its directory with --db, or set \(Self.variable)")
  }

  /// The database, for reading.
  func open() throws -> Database {
    try Database(path: path())
  }

  /// The database, for reading; nil where none is named.
  func openIfNamed() throws -> Database? {
    let name = directory ?? cellvec.variable(Self.variable) ?? ""
    return name.isEmpty ? nil : try open()
  }
}

private let placeCaution = PlaceCaution()

/// What a process has said of the places where databases lie.
private final class PlaceCaution: Sendable {
  private let told = Mutex<Set<String>>([])

  func tell(of path: String) {
    guard told.withLock({ $0.insert(path).inserted }), let caution = Database.cautionAboutPlace(of: path)
    else { return }
    StandardError.writeLine("cellvec: \(caution)")
  }
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

  /// The database, for writing, as soon as no other process writes to it. One that is made lies in no other's folder.
  func open(path: String, create: Bool = false, isQuiet: Bool = false) throws -> DatabaseWriter {
    if create, !Database.exists(at: path) { try requirePlaceOutsideDatabases(path) }
    return try DatabaseWriter(path: path, create: create) { waits(for: $0, path: path, isQuiet: isQuiet) }
  }
}
