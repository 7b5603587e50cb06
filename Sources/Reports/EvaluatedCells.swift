import Faults
import Storage
import Training

extension Evaluation {
  /// Why rows of a database, or vectors of a space, are not those that were evaluated; nil where nothing shows it. Rows
  /// number cells of one database: in another one, or in one that has numbered them anew, they lead to other cells.
  ///
  /// - Returns: a `badData`, also for a single cell of another image: what has moved one may have moved others within
  ///   theirs.
  func difference(from snapshot: borrowing Snapshot, in space: Space) throws -> Fault? {
    let remedy =
      testDatabase.map {
        "the tested cells are those of database \"\($0)\": name it with --db, not the one that was learned from"
      } ?? "name the database that was evaluated, or evaluate again after compact --renumber"
    if let record = snapshot.space(named: space.nameWhereTested),
      record.dimension != space.dimension || record.backboneHash != space.backboneHash
    {
      return Fault(
        .badData, "space \"\(space.nameWhereTested)\"",
        "is of another backbone in this database than when it was evaluated", remedy: remedy)
    }
    for witness in witnesses ?? [] where try witness.isContradicted(by: snapshot) {
      return Fault(
        .badData, "cell \(witness.row)", "is another cell in this database than when it was evaluated",
        remedy: remedy)
    }
    let limit = try snapshot.rowLimit()
    var images: [Row: String] = [:]
    // What only teaches may be of another database.
    for (sample, fold) in zip(samples, testFolds[0]) where testDatabase == nil || fold >= 0 {
      guard sample.row < limit else {
        return Fault(
          .badData, "cell \(sample.row)", "was evaluated, and this database ends at cell \(limit)",
          remedy: remedy)
      }
      images[sample.row] = sample.image
    }
    // Cells that were deleted since are in no image.
    for image in try snapshot.rowsByImage(among: RowSet(images.keys.sorted())) {
      for row in image.rows.toArray() {
        guard let other = images[row], other != image.text else { continue }
        return Fault(
          .badData, "cell \(row)",
          "is of image \"\(image.text)\" in this database, and was of \"\(other)\" when it was evaluated",
          remedy: remedy)
      }
    }
    return nil
  }
}
