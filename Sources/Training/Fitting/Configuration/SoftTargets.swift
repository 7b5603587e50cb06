import Faults

/// What each class of a sample is learned as, between 0 and 1: how sure or how strong an annotation is.
package struct SoftTargets: Sendable, Equatable {
  /// In the places of `LabelTable.classes(of:)`.
  private(set) var values: [Float]

  /// Targets of 1 for all classes of all samples.
  package init(labels: LabelTable) {
    let end = labels.count > 0 ? labels.classes(of: Int32(labels.count - 1)).endIndex : 0
    values = Array(repeating: 1, count: end)
  }

  /// Sets the target of a class of a sample.
  /// - Returns: whether the sample belongs to the class; nothing is set otherwise.
  package mutating func set(_ target: Float, class member: Int32, of sample: Int32, in labels: LabelTable)
    -> Bool
  {
    let classes = labels.classes(of: sample)
    guard let place = classes.firstIndex(of: member) else { return false }
    values[place] = target
    return true
  }
}

/// What the grades of annotations are learned as.
package struct GradeTargets: Sendable, Equatable, Codable {
  /// A target above 0 and up to 1 for each grade.
  package let targets: [String: Float]

  /// Grades 3, 2 and 1 as 1, 1/2 and 1/4. OpenCell's grades are 3 for a very prominent localization, 2 for
  /// one that is less prominent and 1 for a weak one; these targets are those of marrlab/mae3d-opencell.
  package static let openCell = GradeTargets(unchecked: ["3": 1, "2": 0.5, "1": 0.25])

  private init(unchecked targets: [String: Float]) { self.targets = targets }

  /// - Parameter text: as `3=1,2=0.5,1=0.25`.
  /// - Throws: `usage` for anything else.
  package init(_ text: String) throws {
    var targets: [String: Float] = [:]
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let sides = part.split(separator: "=").map(String.init)
      guard sides.count == 2, let target = Float(sides[1]), target > 0, target <= 1, targets[sides[0]] == nil
      else {
        throw Fault(
          .usage, "--grade-targets",
          expected: "grades with targets above 0 and up to 1, as in 3=1,2=0.5,1=0.25",
          found: "\"\(text)\"")
      }
      targets[sides[0]] = target
    }
    self.targets = targets
  }

  /// The label and the target of an entry such as `nucleoplasm:3`.
  /// - Throws: `badData` for an entry without a grade, or with one that has no target.
  func parse(_ entry: String, field: String) throws -> (label: String, target: Float) {
    guard let colon = entry.lastIndex(of: ":"),
      let target = targets[String(entry[entry.index(after: colon)...])]
    else {
      throw Fault(
        .badData, "field \"\(field)\"",
        expected:
          "labels with one of the grades \(targets.keys.sorted().joined(separator: ", ")), as in nucleoplasm:3",
        found: "\"\(entry)\"", remedy: "mend it with cellvec update, or name its grade in --grade-targets")
    }
    return (String(entry[..<colon]), target)
  }
}
