import Faults
import Formats
import Glibc

/// A folder that a simulation is written into, and what an earlier one has left in it.
///
/// While a simulation is written, a file `unfinished-simulation` beside its images holds its options. It
/// comes when the images of an earlier simulation have gone, and goes last: an image beside it may be missing,
/// and none is of another simulation.
struct SimulationFolder {
  static let metadataName = "metadata.csv"
  /// The table that a simulation is known by.
  static let cellsName = "cells.csv"
  static let cellColumns = ["image", "cell", "x_px", "y_px", "area_px", "nucleus_area_px", "expression"]
  private static let unfinishedName = "unfinished-simulation"

  let path: String

  private func path(of name: String) -> String { "\(path)/\(name)" }

  /// Whether a name is taken, if only by a link that leads nowhere.
  private func isThere(_ name: String) -> Bool {
    FileIdentity(path: path(of: name), followingLinks: false) != nil
  }

  private static func suffixes(isLayered: Bool) -> [String] {
    SimulatedField.channelNames(isLayered: isLayered) + ["mask"]
  }

  /// The names of the images of fields, in the order in which they are written.
  private static func imageNames(of fields: [String], isLayered: Bool) -> [String] {
    let suffixes = suffixes(isLayered: isLayered)
    return fields.flatMap { field in suffixes.map { "\(field)_\($0).png" } }
  }

  private static func imageNames(of plan: [FieldPlan], _ options: SimulationOptions) -> [String] {
    imageNames(of: plan.map(\.name), isLayered: options.isLayered)
  }

  private static let allSuffixes = Set([false, true].flatMap { suffixes(isLayered: $0) })

  /// Whether a file's name is one that simulations give to images.
  private static func isImageName(_ name: String) -> Bool {
    guard name.hasSuffix(".png"), let end = name.lastIndex(of: "_") else { return false }
    let suffix = name[name.index(after: end)...].dropLast(".png".count)
    return allSuffixes.contains(String(suffix)) && FieldPlan.isName(name[..<end])
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
    let names = Self.imageNames(of: plan, options) + [Self.cellsName, Self.metadataName]
    guard let taken = names.first(where: isThere) else { return }
    throw Fault(
      .cannotCreate, path(of: taken),
      "is there already, and the folder has no \(Self.cellsName) of a simulation",
      remedy: "name another folder, or write over what is in it with --replace")
  }

  /// Keeps the folder, which is made if need be, to this simulation for as long as the lock lives; no lock where the file
  /// system has none for folders.
  /// - Throws: `cannotCreate`, and `locked` while another process has it.
  func claim() throws(Fault) -> FolderLock? {
    try create()
    return try FolderLock.ifThereAreLocks(path, problem: "is being written by another simulation")
  }

  /// Removes what is left of an earlier simulation from the folder, and notes what is about to be written; other files
  /// stay.
  ///
  /// The images go while the earlier note or tables are there still, and these when the new note is there:
  /// wherever this ends, the folder is known for what it has.
  /// - Throws: `cannotCreate`, also where nothing tells which images are an earlier simulation's, or
  ///   `inputOutput`.
  func begin(_ options: SimulationOptions, _ plan: [FieldPlan]) throws {
    let isReplacing = hasEarlier
    try remove(earlierImages(before: Self.imageNames(of: plan, options)))
    var note = try AtomicFile(path: path(of: Self.unfinishedName))
    try note.write(Array(try options.document().utf8))
    try note.commit()
    if isReplacing { try remove([Self.cellsName, Self.metadataName]) }
  }

  /// Removes files durably; those that are not there are none to remove.
  private func remove(_ names: [String]) throws(Fault) {
    if names.isEmpty { return }
    for name in names {
      guard unlink(path(of: name)) == 0 || errno == ENOENT else {
        throw Fault.system(path(of: name), "remove the earlier simulation's file")
      }
    }
    try syncFolder(path)
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

  private var hasEarlier: Bool { isThere(Self.unfinishedName) || isSimulation }

  /// The names of an earlier simulation's images, as its options or its tables tell them; where neither does,
  /// the `images` that are about to be written.
  /// - Throws: `cannotCreate` where neither does and others are there, which would be taken for the new
  ///   simulation's.
  private func earlierImages(before images: [String]) throws(Fault) -> [String] {
    if let options = SimulationOptions(document: unfinished()) {
      return Self.imageNames(of: FieldPlan.all(options), options)
    }
    if let fields = fieldsWithCells(), let isLayered = isLayered(fields) {
      return Self.imageNames(of: fields, isLayered: isLayered)
    }
    let written = Set(images)
    if let other = try namesInFolder(path).filter({ Self.isImageName($0) && !written.contains($0) }).min() {
      throw Fault(
        .cannotCreate, path,
        "has images such as \(other), and no table or note that tells which are a simulation's",
        remedy: "remove its images or name another folder")
    }
    return hasEarlier ? images : []
  }

  /// The fields that the table of cells names, which are all: each has a cell. nil where it cannot be read or
  /// has none. Whoever has changed the table may have named other files, which are none of ours.
  private func fieldsWithCells() -> [String]? {
    var images: Set<String> = []
    do {
      var cells = try CSVReader(path: path(of: Self.cellsName))
      guard cells.columns == Self.cellColumns else { return nil }
      while let row = try cells.next() { images.insert(row.fields[0]) }
    } catch {
      return nil
    }
    let fields = images.filter { FieldPlan.isName($0[...]) }.sorted()
    return fields.isEmpty ? nil : fields
  }

  /// Whether fields are layered, as the table of fields tells, or else their images; nil where these are of
  /// both kinds.
  private func isLayered(_ fields: [String]) -> Bool? {
    if let isLayered = isLayeredInMetadata(Set(fields)) { return isLayered }
    let kinds = [false, true].filter { isLayered in
      let own = Set(Self.suffixes(isLayered: isLayered)).subtracting(Self.suffixes(isLayered: !isLayered))
      return fields.contains { field in own.contains { isThere("\(field)_\($0).png") } }
    }
    if kinds.count > 1 { return nil }
    // What both kinds have may be all that is left.
    return kinds.first ?? false
  }

  /// Layered fields have neither gene nor localization; nil where the table cannot be read or tells both.
  private func isLayeredInMetadata(_ fields: Set<String>) -> Bool? {
    guard let table = try? CSVTable(path: path(of: Self.metadataName)),
      let image = table.columns.firstIndex(of: "image"), let gene = table.columns.firstIndex(of: "gene"),
      let localization = table.columns.firstIndex(of: "localization")
    else { return nil }
    let rows = table.rows.filter { fields.contains($0[image]) }
    let kinds = Set(rows.map { $0[gene].isEmpty && $0[localization].isEmpty })
    return kinds.count == 1 ? kinds.first : nil
  }
}
