import Dispatch
import Faults
import Formats
import Glibc
import Imaging
import Synchronization

/// Writes a labelled set of simulated fields into a folder, which is made if need be.
///
/// Each field `P1_A01_s1` becomes 16-bit PNG files: `_nucleus.png`, `_protein.png` and `_mask.png` (the cell's
/// number, 0 outside cells); layered, `_nucleoplasm.png`, `_golgi-apparatus.png` and so on take the protein's
/// place. `cells.csv` has a row per cell, `metadata.csv` a row per field; layered fields have neither gene nor
/// localization. The same options write the same bytes on any number of threads.
///
/// `cells.csv` is there first, with no row yet, and tells whose the files beside it are: what was killed may be done again.
/// `metadata.csv` comes last, when all is written.
///
/// - Parameters:
///   - replaces: whether to write over files of the same names that are no earlier simulation's.
///   - progress: called after each field with the number of fields written so far, from any thread
///     but never from two at once.
/// - Throws: a fault for options out of range, for files that cannot be written, and, unless it `replaces` them, for files of
///   the same names that no simulation has written.
package func simulate(
  into folder: String, options: SimulationOptions, replaces: Bool = false,
  progress: @Sendable (Int) -> Void = { _ in }
) throws -> SimulationSummary {
  try options.validate()
  let plan = FieldPlan.all(options)
  if !replaces { try requireFreeNames(plan, isLayered: options.isLayered, in: folder) }
  try createFolder(folder)
  try writeCells([], [], to: "\(folder)/\(cellsName)")
  let cells = try drawFields(plan, into: folder, options: options, progress: progress)
  try writeCells(plan, cells, to: "\(folder)/\(cellsName)")
  try writeMetadata(plan, isLayered: options.isLayered, to: "\(folder)/\(metadataName)")
  return SimulationSummary(
    fieldCount: plan.count, geneCount: options.geneCount, cellCount: cells.reduce(0) { $0 + $1.count })
}

private let metadataName = "metadata.csv"
/// The file that a simulation is known by.
private let cellsName = "cells.csv"
private let cellColumns = ["image", "cell", "x_px", "y_px", "area_px", "nucleus_area_px", "expression"]

/// Refuses a folder that has a file of a name that would be written, unless a simulation was begun in it.
/// - Throws: `cannotCreate`.
private func requireFreeNames(_ plan: [FieldPlan], isLayered: Bool, in folder: String) throws(Fault) {
  let suffixes = SimulatedField.channelNames(isLayered: isLayered) + ["mask"]
  let names =
    [metadataName, cellsName] + plan.flatMap { field in suffixes.map { "\(field.name)_\($0).png" } }
  guard let taken = names.first(where: { access("\(folder)/\($0)", F_OK) == 0 }), !isSimulation(folder) else {
    return
  }
  throw Fault(
    .cannotCreate, "\(folder)/\(taken)",
    "is there already, and the folder has no \(cellsName) of a simulation",
    remedy: "name another folder, or write over what is in it with --replace")
}

/// Whether a simulation was begun in a folder, whatever has become of it.
private func isSimulation(_ folder: String) -> Bool {
  let path = "\(folder)/\(cellsName)"
  guard access(path, R_OK) == 0 else { return false }
  // What is no table is none of ours, whatever is wrong with it.
  do { return try CSVReader(path: path).columns == cellColumns } catch { return false }
}

/// Which gene and line a field shows, and where on which plate it lies.
private struct FieldPlan: Sendable {
  let gene: SimulatedGene
  let line: CellLine
  let plate: String
  let well: String
  let site: Int

  var name: String { "\(plate)_\(well)_s\(site)" }

  static func all(_ options: SimulationOptions) -> [FieldPlan] {
    let genes = (0..<options.geneCount).map { SimulatedGene(number: $0, seed: options.seed) }
    return (0..<options.fieldCount).map { number in
      let gene = number / options.fieldsPerGene
      let (site, line) = (number % options.fieldsPerGene).quotientAndRemainder(dividingBy: CellLine.all.count)
      // Plates of 96 wells, a gene a well; each line has plates of its own.
      let plate = gene / 96 * CellLine.all.count + line + 1
      let row = Character(UnicodeScalar(UInt8(ascii: "A") + UInt8(gene % 96 / 12)))
      let column = gene % 12 + 1
      return FieldPlan(
        gene: genes[gene], line: CellLine.all[line], plate: "P\(plate)",
        well: "\(row)\(column < 10 ? "0" : "")\(column)", site: site + 1)
    }
  }
}

/// Draws and writes all fields.
///
/// - Returns: the cells of each field, in the order of the plan.
private func drawFields(
  _ plan: [FieldPlan], into folder: String, options: SimulationOptions,
  progress: @Sendable (Int) -> Void
) throws -> [[SimulatedCell]] {
  struct Progress {
    var cells: [[SimulatedCell]]
    var finished = 0
    var error: (any Error)?
  }
  let shared = Mutex(Progress(cells: Array(repeating: [], count: plan.count)))
  let next = Atomic(0)
  DispatchQueue.concurrentPerform(iterations: min(options.threadCount, plan.count)) { _ in
    while true {
      let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard number < plan.count, shared.withLock({ $0.error == nil }) else { return }
      let field = SimulatedField(
        gene: plan[number].gene, line: plan[number].line, number: number, options: options)
      let result = Result {
        try write(field, to: "\(folder)/\(plan[number].name)", sizePx: options.sizePx)
      }
      shared.withLock { state in
        switch result {
        case .success:
          state.cells[number] = field.cells
          state.finished += 1
          progress(state.finished)
        case .failure(let error): state.error = error
        }
      }
    }
  }
  return try shared.withLock { state in
    if let error = state.error { throw error }
    return state.cells
  }
}

private func write(_ field: SimulatedField, to stem: String, sizePx: Int) throws {
  for (suffix, pixels) in field.channels + [("mask", field.mask)] {
    try writePNG16("\(stem)_\(suffix).png", width: sizePx, height: sizePx, pixels: pixels)
  }
}

private func createFolder(_ path: String) throws(Fault) {
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

private func writeMetadata(_ plan: [FieldPlan], isLayered: Bool, to path: String) throws(Fault) {
  var writer = try CSVWriter(path: path)
  try writer.write(["image", "gene", "localization", "plate", "well", "site", "cell_line"])
  for field in plan {
    let localizations = field.gene.localizations.map(\.rawValue).joined(separator: ";")
    try writer.write(
      [field.name] + (isLayered ? ["", ""] : [field.gene.name, localizations])
        + [field.plate, field.well, "\(field.site)", field.line.name])
  }
  try writer.close()
}

private func writeCells(
  _ plan: [FieldPlan], _ cells: [[SimulatedCell]], to path: String
) throws(Fault) {
  var writer = try CSVWriter(path: path)
  try writer.write(cellColumns)
  for (field, cells) in zip(plan, cells) {
    for cell in cells {
      try writer.write([
        field.name, "\(cell.label)", decimal(cell.centroid.x, places: 1), decimal(cell.centroid.y, places: 1),
        "\(cell.areaPx)", "\(cell.nucleusAreaPx)", decimal(cell.expression, places: 3),
      ])
    }
  }
  try writer.close()
}

/// A non-negative number with a fixed number of places after the point.
private func decimal(_ value: Double, places: Int) -> String {
  let scale = (0..<places).reduce(1) { product, _ in product * 10 }
  let (whole, rest) = Int((value * Double(scale)).rounded()).quotientAndRemainder(dividingBy: scale)
  return "\(whole).\("\(scale + rest)".dropFirst())"
}
