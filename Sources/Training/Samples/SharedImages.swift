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
  var shared: [String] = []
  for number in 0..<UInt32(other.imageCount()) {
    guard let image = try other.image(number), image.hasCell(among: testCells),
      let same = try snapshot.imageNumber(identity: image.identity),
      try snapshot.image(same)?.hasCell(among: cells) ?? false
    else { continue }
    shared.append(image.name)
  }
  guard let first = shared.first else { return }
  let named = shared.prefix(3).map { "\"\($0)\"" }.joined(separator: ", ")
  throw Fault(
    .badData, "database \"\(name)\"",
    shared.count == 1
      ? "has an image that is learned from, too: \(named)"
      : "has \(shared.count) images that are learned from, too, such as \(named)",
    remedy: "leave them out on one side, as with --test-where \"NOT image = '\(first)'\"")
}

extension ImageRecord {
  fileprivate func hasCell(among cells: RowSet) -> Bool {
    rows.contains { !RowSet($0).intersection(cells).isEmpty }
  }
}
