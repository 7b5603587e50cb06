import Faults
import Formats
import Glibc

/// A folder that a simulation is written into, and what an earlier one has left in it.
///
/// While a simulation is written, a file `unfinished-simulation` beside its images holds its options. It is there first and
/// goes last: an image beside it may be missing, and none is of other options.
struct SimulationFolder {
  static let metadataName = "metadata.csv"
  /// The table that a simulation is known by.
  static let cellsName = "cells.csv"
  static let cellColumns = ["image", "cell", "x_px", "y_px", "area_px", "nucleus_area_px", "expression"]
  private static let unfinishedName = "unfinished-simulation"

  let path: String

  private func path(of name: String) -> String { "\(path)/\(name)" }
  private func isThere(_ name: String) -> Bool { access(path(of: name), F_OK) == 0 }

  /// The names of a simulation's files, in the order in which they are written.
  static func fileNames(of plan: [FieldPlan], isLayered: Bool) -> [String] {
    let suffixes = SimulatedField.channelNames(isLayered: isLayered) + ["mask"]
    return plan.flatMap { field in suffixes.map { "\(field.name)_\($0).png" } } + [cellsName, metadataName]
  }

  /// Refuses a folder that has a simulation, but for one of the same options that was not finished, or a file of a name
  /// that would be written.
  /// - Throws: `cannotCreate`.
  func requireFree(for options: SimulationOptions, _ plan: [FieldPlan]) throws {
    if isThere(Self.unfinishedName) {
      guard try unfinished() != options.document() else { return }
      throw Fault(
        .cannotCreate, path, "has a simulation of other options that was not finished",
        remedy: "name another folder, or let this one take its place with --replace")
    }
    if isSimulation {
      throw Fault(
        .cannotCreate, path, "has a simulation already",
        remedy: "name another folder, or let this one take its place with --replace")
    }
    guard let taken = Self.fileNames(of: plan, isLayered: options.isLayered).first(where: isThere) else {
      return
    }
    throw Fault(
      .cannotCreate, path(of: taken),
      "is there already, and the folder has no \(Self.cellsName) of a simulation",
      remedy: "name another folder, or write over what is in it with --replace")
  }

  /// Makes the folder, if need be, notes in it what is about to be written, and removes what is left of an earlier
  /// simulation; other files stay.
  /// - Throws: `cannotCreate` or `inputOutput`.
  func begin(_ options: SimulationOptions) throws {
    try create()
    let earlier = earlierNames()
    var note = try AtomicFile(path: path(of: Self.unfinishedName))
    try note.write(Array(try options.document().utf8))
    try note.commit()
    for name in earlier {
      guard unlink(path(of: name)) == 0 || errno == ENOENT else {
        throw Fault.system(path(of: name), "remove the earlier simulation's file")
      }
    }
    if !earlier.isEmpty { try syncFolder(path) }
  }

  /// - Throws: `inputOutput`.
  func finish() throws {
    let note = path(of: Self.unfinishedName)
    guard unlink(note) == 0 else { throw Fault.system(note, "remove") }
    try syncFolder(path)
  }

  private func create() throws(Fault) {
    if mkdir(path, 0o777) == 0 { return }
    guard errno == EEXIST else {
      let fault = Fault.system(path, "create the folder")
      throw Fault(.cannotCreate, fault.subject, fault.problem, remedy: fault.remedy)
    }
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw Fault(.cannotCreate, path, "exists and is not a folder", remedy: "give another name")
    }
  }

  // MARK: Earlier simulations

  /// Whether a simulation's table of cells is there, whatever has become of its images.
  private var isSimulation: Bool {
    guard access(path(of: Self.cellsName), R_OK) == 0 else { return false }
    // What is no table is none of ours, whatever is wrong with it.
    do { return try CSVReader(path: path(of: Self.cellsName)).columns == Self.cellColumns } catch {
      return false
    }
  }

  /// The options of a simulation that was not finished, as they were noted; empty where they cannot be read.
  private func unfinished() -> String {
    guard let file = try? MappedFile(path: path(of: Self.unfinishedName)) else { return "" }
    return withExtendedLifetime(file) { String(decoding: file.bytes, as: UTF8.self) }
  }

  /// The names of an earlier simulation's files, as its options or its table of fields tell them: none where neither can be
  /// read.
  private func earlierNames() -> [String] {
    if isThere(Self.unfinishedName) {
      guard let options = SimulationOptions(document: unfinished()) else { return [] }
      return Self.fileNames(of: FieldPlan.all(options), isLayered: options.isLayered)
    }
    guard isSimulation, let fields = try? CSVTable(path: path(of: Self.metadataName)),
      let column = fields.columns.firstIndex(of: "image")
    else { return [] }
    let suffixes = Set([false, true].flatMap(SimulatedField.channelNames)).sorted() + ["mask"]
    // Whoever has changed the table may have named a file elsewhere.
    let images = fields.rows.map { $0[column] }.filter { !$0.contains("/") }
    return images.flatMap { image in suffixes.map { "\(image)_\($0).png" } }
      + [Self.cellsName, Self.metadataName]
  }
}
