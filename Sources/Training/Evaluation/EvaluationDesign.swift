import Faults

/// How samples are split into those that teach, tune and test a head.
package struct EvaluationDesign: Sendable, Equatable, Codable {
  package enum Scheme: String, Sendable, Codable {
    /// k folds, which test every sample once a repetition.
    case folds
    /// A fold for each group.
    case leaveOneGroupOut
    /// Some samples teach, others test, as those of two data sets.
    case transfer
  }

  package enum Defaults {
    package static let folds = 5
    /// Large enough for thresholds of classes of some tens of positives, and small enough to leave most to learn from.
    package static let validationShare = 0.2
    /// Resamplings behind an interval: its ends vary by some hundredths of its width.
    package static let resamplings = 1000
  }

  package var scheme: Scheme
  /// Folds of a repetition; not used by other schemes.
  package var folds: Int
  /// How often the folds are drawn anew.
  package var repeats: Int
  /// Part of each fold's train groups that validates: on it thresholds are fitted and training is stopped. 0 for none.
  package var validationShare: Double
  /// Parts of the train groups that heads are trained on, increasing: one for the usual evaluation, more for a curve.
  package var fractions: [Double]
  package var absentClasses: AbsentClasses
  /// Resamplings of groups behind each confidence interval.
  package var resamplings: Int
  package var seed: UInt64
  /// Of `transfer`: whether groups that are tested on may be learned from, too, as proteins that two microscopes have
  /// seen.
  package var sharesGroups: Bool {
    get { groupsAreShared ?? false }
    set { groupsAreShared = newValue ? true : nil }
  }
  /// nil for no, as in older files.
  private var groupsAreShared: Bool?

  private enum CodingKeys: String, CodingKey {
    case scheme, folds, repeats, validationShare, fractions, absentClasses, resamplings, seed
    case groupsAreShared = "sharesGroups"
  }

  package init(
    scheme: Scheme = .folds, folds: Int = Defaults.folds, repeats: Int = 1,
    validationShare: Double = Defaults.validationShare, fractions: [Double] = [1],
    absentClasses: AbsentClasses = .skip, resamplings: Int = Defaults.resamplings, seed: UInt64 = 0
  ) {
    self.scheme = scheme
    self.folds = folds
    self.repeats = repeats
    self.validationShare = validationShare
    self.fractions = fractions
    self.absentClasses = absentClasses
    self.resamplings = resamplings
    self.seed = seed
  }

  /// - Throws: `usage` for what cannot be carried out whatever the samples.
  package func validate() throws {
    guard (1...1000).contains(repeats) else {
      throw Fault(.usage, "repeats", expected: "1 to 1000", found: "\(repeats)")
    }
    guard repeats == 1 || scheme == .folds else {
      throw Fault(
        .usage, "repeats", "goes with folds: nothing is drawn otherwise", remedy: "leave the repeats out")
    }
    guard !sharesGroups || scheme == .transfer else {
      throw Fault(
        .usage, "shared groups", "go with cells to learn from and cells to test on",
        remedy: "leave them out: groups of folds are kept apart")
    }
    guard validationShare >= 0, validationShare <= 0.5 else {
      throw Fault(.usage, "validation", expected: "a part from 0 to 0.5", found: "\(validationShare)")
    }
    guard !fractions.isEmpty, fractions.allSatisfy({ $0 > 0 && $0 <= 1 }) else {
      throw Fault(
        .usage, "fraction", expected: "parts above 0 and up to 1, such as 0.1,1", found: "\(fractions)")
    }
    guard (0...1_000_000).contains(resamplings) else {
      throw Fault(.usage, "resamplings", expected: "0 to 1000000", found: "\(resamplings)")
    }
  }
}
