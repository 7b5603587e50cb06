import Dispatch
import Faults
import Formats
import Imaging
import Synchronization

/// Writes a labelled set of simulated fields into a folder, which is made if need be.
///
/// Each field `P1_A01_s1` becomes 16-bit PNG files: `_nucleus.png`, `_protein.png` and `_mask.png` (the cell's
/// number, 0 outside cells); layered, `_nucleoplasm.png`, `_golgi-apparatus.png` and so on take the protein's
/// place. `cells.csv` has a row per cell, `metadata.csv` a row per field; layered fields have neither gene nor
/// localization. The same options write the same bytes on any number of threads.
///
/// A simulation that was begun and not finished, as by Ctrl-C, is known by the file `unfinished-simulation` in its folder
/// (`SimulationFolder`): the same options begin it again.
///
/// - Parameters:
///   - replaces: whether to take the place of an earlier simulation, whose files are removed, and to write over other
///     files of the same names. Other images that are named as a simulation's, in a folder where nothing tells
///     whether they are one's, are refused.
///   - isCancelled: asked before each field, from any thread; fields that were begun are finished.
///   - progress: called after each field with the number of fields written so far, from any thread
///     but never from two at once.
/// - Throws: a fault for options out of range, for files that cannot be written, and, unless it `replaces` them, for an
///   earlier simulation and files of the same names; `locked` while another process writes into the folder, `cancelled` with
///   the fields that are complete.
package func simulate(
  into folder: String, options: SimulationOptions, replaces: Bool = false,
  isCancelled: @Sendable () -> Bool = { false }, progress: @Sendable (Int) -> Void = { _ in }
) throws -> SimulationSummary {
  try options.validate()
  let plan = FieldPlan.all(options)
  let target = SimulationFolder(path: folder)
  let lock = try target.claim()
  defer { withExtendedLifetime(lock) {} }
  if !replaces { try target.requireFree(for: options, plan) }
  try target.begin(options, plan)
  let cells = try drawFields(
    plan, into: folder, options: options, isCancelled: isCancelled, progress: progress)
  guard cells.count == plan.count else { throw cancelled(after: cells.count, of: plan, folder) }
  try writeCells(plan, cells, to: "\(folder)/\(SimulationFolder.cellsName)")
  try writeMetadata(plan, isLayered: options.isLayered, to: "\(folder)/\(SimulationFolder.metadataName)")
  try target.finish()
  return SimulationSummary(
    fieldCount: plan.count, geneCount: options.geneCount, cellCount: cells.reduce(0) { $0 + $1.count })
}

private func cancelled(after count: Int, of plan: [FieldPlan], _ folder: String) -> Fault {
  let names =
    count > 1 ? ", \(plan[0].name) to \(plan[count - 1].name)" : count == 1 ? ", \(plan[0].name)" : ""
  return Fault(
    .cancelled, folder,
    "interrupted: the images of \(count) of \(plan.count) fields are complete\(names); the tables are missing",
    remedy: "run the same command to draw all of them")
}

/// Draws and writes all fields, or those before the work was cancelled.
///
/// - Returns: the cells of each field that was written, in the order of the plan, from its first.
private func drawFields(
  _ plan: [FieldPlan], into folder: String, options: SimulationOptions,
  isCancelled: @Sendable () -> Bool, progress: @Sendable (Int) -> Void
) throws -> [[SimulatedCell]] {
  struct Progress {
    var cells: [[SimulatedCell]]
    var finished = 0
    var error: (any Error)?
  }
  let shared = Mutex(Progress(cells: Array(repeating: [], count: plan.count)))
  let next = Atomic(0)
  DispatchQueue.concurrentPerform(iterations: min(options.threadCount, plan.count)) { _ in
    // A field that was begun is finished: those that are written are the first of the plan.
    while !isCancelled() {
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
    return Array(state.cells.prefix(state.finished))
  }
}

private func write(_ field: SimulatedField, to stem: String, sizePx: Int) throws {
  for (suffix, pixels) in field.channels + [("mask", field.mask)] {
    try writePNG16("\(stem)_\(suffix).png", width: sizePx, height: sizePx, pixels: pixels)
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
  try writer.write(SimulationFolder.cellColumns)
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
