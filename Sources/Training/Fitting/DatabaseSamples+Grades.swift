import Faults
import Storage

extension DatabaseSamples {
  /// What each label of each sample is learned as, by the grades in a list field whose entries are such as
  /// `nucleoplasm:3`; 1 for a label that no entry grades.
  ///
  /// - Throws: `missingInput` for an unknown field, `usage` for one that holds no lists; `badData` for an
  ///   entry without a known grade, or for a label that the cell does not have.
  func softTargets(field name: String, targets: GradeTargets, snapshot: borrowing Snapshot) throws
    -> SoftTargets
  {
    let field = try snapshot.requiredField(named: name)
    guard field.type == .list || field.type == .string else {
      throw Fault(
        .usage, "field \"\(name)\"", "holds \(field.type.rawValue)s, which grade no labels",
        remedy: "name a list field with entries such as nucleoplasm:3")
    }
    var soft = SoftTargets(labels: labels)
    let positions = Dictionary(uniqueKeysWithValues: zip(labels.classes, 0..<Int32(labels.classes.count)))
    let own = RowSet(rows)
    for (text, _) in try snapshot.distinctTexts(field) {
      let graded = try snapshot.rows(field, equals: text).intersection(own)
      if graded.isEmpty { continue }
      let (label, target) = try targets.parse(text, field: name)
      for row in graded.toArray() {
        guard let member = positions[label],
          soft.set(target, class: member, of: sample(of: row), in: labels)
        else {
          throw Fault(
            .badData, "field \"\(name)\" of cell \(row)",
            "grades \"\(label)\", which is none of the cell's labels",
            remedy: "mend the grades or the labels with cellvec update")
        }
      }
    }
    return soft
  }

  /// The sample that a row is, one of `rows`, which increase.
  private func sample(of row: Row) -> Int32 {
    var (low, high) = (0, rows.count)
    while low < high {
      let middle = (low + high) / 2
      if rows[middle] < row { low = middle + 1 } else { high = middle }
    }
    return Int32(low)
  }
}
