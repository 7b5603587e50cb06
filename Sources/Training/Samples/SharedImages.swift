import Faults
import Storage

/// Refuses images that two databases have in common, whatever they are called: their cells would be learned from and
/// tested on. Images are compared by their pixels in all channels, imported vectors by the numbers of their array.
///
/// - Parameters:
///   - testCells: those to test on, of the database behind `other`.
///   - name: of that database, for faults.
///   - cells: those to learn from, of the database behind `snapshot`.
/// - Throws: `badData`.
func requireOtherImages(
  of testCells: RowSet, in other: borrowing Snapshot, named name: String, than cells: RowSet,
  in snapshot: borrowing Snapshot
) throws {
  var shared: [SharedImage] = []
  try other.forEachImage { _, image in
    let tested = image.cells(among: testCells)
    guard !tested.isEmpty, let same = try snapshot.imageNumber(identity: image.identity),
      let taught = try snapshot.image(same)?.cells(among: cells), !taught.isEmpty
    else { return }
    shared.append(SharedImage(name: image.name, tested: tested))
  }
  try SharedImage.refuse(shared, in: "database \"\(name)\"")
}

/// The same for cells of one database. Imported cells are of the images that their field names; nobody knows those of the
/// others, which are not compared.
func requireOtherImages(of testCells: RowSet, than cells: RowSet, in snapshot: borrowing Snapshot) throws {
  var both = cells
  both.formUnion(testCells)
  let shared = try snapshot.cellsByImage(among: both).compactMap { image -> SharedImage? in
    let tested = image.rows.intersection(testCells)
    guard !image.isArray, !tested.isEmpty, !image.rows.intersection(cells).isEmpty else { return nil }
    return SharedImage(name: image.name, tested: tested)
  }
  try SharedImage.refuse(shared, in: "the selection to test on")
}

/// An image with cells that are learned from and cells that are tested on.
private struct SharedImage {
  let name: String
  let tested: RowSet

  /// - Throws: `badData` where there are such.
  static func refuse(_ shared: [SharedImage], in subject: String) throws {
    guard !shared.isEmpty else { return }
    let shown = shared.prefix(3)
    let names = shown.map { "\"\($0.name)\"" }.joined(separator: ", ")
    // By number, as names may hold any character, and imported cells may have no field with them.
    let ranges = shown.flatMap { HeadData.ranges(of: $0.tested.toArray()) }.prefix(6)
    let others = ranges.map { "cell NOT BETWEEN \($0[0]) AND \($0[1] - 1)" }.joined(separator: " AND ")
    throw Fault(
      .badData, subject,
      shared.count == 1
        ? "has an image that is learned from, too: \(names)"
        : "has \(shared.count) images that are learned from, too, such as \(names)",
      remedy: "leave them out on one side, as with --test-where \"\(others)\"")
  }
}

extension ImageRecord {
  fileprivate func cells(among cells: RowSet) -> RowSet {
    rows.reduce(into: RowSet()) { $0.formUnion(RowSet($1)) }.intersection(cells)
  }
}
