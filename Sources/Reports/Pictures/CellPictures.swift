import Faults
import Imaging
import Ingest
import Storage

/// Pictures of cells, cut anew from the files that the database remembers.
struct CellPictures: Sendable {
  private(set) var byRow: [Row: CellPicture] = [:]
  /// The image of each cell.
  private(set) var imageNames: [Row: String] = [:]
  /// Why cells have no picture, a fault for each image that could not be shown.
  private(set) var problems: [Fault] = []
  /// Cells that were to be shown.
  let wantedCount: Int
  /// Side of the squares in pixels of the images; nil for whole images.
  let cropSizePx: Int?
  let colors: ChannelColors

  private static let limitPx = 256

  /// No pictures, for a reason.
  /// - Parameter wantedCount: cells that were to be shown.
  init(problem: Fault, wantedCount: Int, colors: ChannelColors) {
    problems = [problem]
    self.wantedCount = wantedCount
    cropSizePx = nil
    self.colors = colors
  }

  /// Cuts a square around each cell, as large as the space's recipe cuts. Each image is read once. What cannot be shown
  /// is among the problems.
  ///
  /// - Parameter search: where files are looked for.
  /// - Throws: `missingInput` for a space that does not exist, `badData` for a recipe that cannot be read, and faults of
  ///   the database.
  init(
    of rows: [Row], in spaceName: String, of snapshot: borrowing Snapshot, search: ImageSearch,
    colors: ChannelColors, progress: () throws -> Void = {}
  ) throws {
    self.colors = colors
    wantedCount = Set(rows).count
    guard let space = snapshot.space(named: spaceName) else {
      throw Fault.unknownName(.missingInput, "space", spaceName, among: snapshot.spaces.map(\.name))
    }
    guard let json = space.recipe else {
      cropSizePx = nil
      problems = [
        Fault(.missingInput, "space \"\(space.name)\"", "was imported: nothing says how cells are cut")
      ]
      return
    }
    cropSizePx = try Recipe(canonicalJSON: json, space: space.name).crop.cropSizePx
    var cells: [UInt32: [(row: Row, geometry: CellGeometry)]] = [:]
    for row in Set(rows).sorted() {
      guard let cell = try snapshot.cell(at: row), let geometry = cell.geometry else {
        problems.append(
          Fault(.missingInput, "cell \(row)", "is not in the database, or has no place in an image"))
        continue
      }
      cells[cell.image, default: []].append((row, geometry))
    }
    for (number, members) in cells.sorted(by: { $0.key < $1.key }) {
      try progress()
      guard let record = try snapshot.image(number) else { continue }
      for (row, _) in members { imageNames[row] = record.name }
      do {
        let cutter = DisplayCutter(try search.image(of: record))
        for (row, geometry) in members {
          let crop = cutter.cut(
            centerX: geometry.centerX, centerY: geometry.centerY, cropSizePx: cropSizePx,
            limitPx: Self.limitPx)
          byRow[row] = try CellPicture(crop, colors: colors)
        }
      } catch let fault as Fault {
        problems.append(fault)
      }
    }
  }
}
