/// A class that cross-validation cannot measure well with the folds at hand.
package enum FoldWarning: Sendable, Equatable {
  /// All positives are in one group (or are one sample): no head can both learn the class and be tested on it.
  case classInOneGroup(String)
  /// Some folds hold no positive of the class, so their macro F1 leaves it out.
  /// - Parameters:
  ///   - folds: those without one, of `all`.
  ///   - groups: those that have positives of the class, 2 or more; of folds of single samples, its positives.
  case classAbsentFromFolds(String, folds: Int, of: Int, groups: Int)

  private func sentence(isGrouped: Bool) -> String {
    switch self {
    case .classInOneGroup(let name):
      isGrouped
        ? "class \(name): all positives are in one group, so it cannot be both learned and tested"
        : "class \(name): only one sample is a positive, so it cannot be both learned and tested"
    case .classAbsentFromFolds(let name, let folds, let all, _):
      "class \(name): no positives in \(folds) of the \(all) folds, whose macro F1 leaves it out"
    }
  }

  private var className: String {
    switch self {
    case .classInOneGroup(let name), .classAbsentFromFolds(let name, _, _, _): name
    }
  }
}

extension FoldWarning {
  /// Warnings of one kind that are told of one by one; more are counted, and some named.
  private static let limit = 3

  /// The warnings in a few sentences, however many classes they are about, and what to do about them.
  /// - Parameter isGrouped: whether the folds keep samples together by group.
  package static func summary(of warnings: [FoldWarning], isGrouped: Bool) -> [String] {
    var ofOneGroup: [String] = []
    var absent: [String] = []
    var folds = 0
    var fewestGroups = Int.max
    for warning in warnings {
      switch warning {
      case .classInOneGroup(let name): ofOneGroup.append(name)
      case .classAbsentFromFolds(let name, _, let all, let groups):
        absent.append(name)
        (folds, fewestGroups) = (all, min(fewestGroups, groups))
      }
    }
    func told(_ names: [String], _ sentence: String) -> [String] {
      if names.count <= limit {
        return warnings.filter { names.contains($0.className) }.map { $0.sentence(isGrouped: isGrouped) }
      }
      return ["\(names.count) classes, such as \(names.prefix(limit).joined(separator: ", ")): \(sentence)"]
    }
    let few =
      isGrouped
      ? "only \(fewestGroups) groups have positives of some class: --folds \(fewestGroups), or a finer --group, "
      : "only \(fewestGroups) samples are positives of some class: --folds \(fewestGroups) "
    // Where groups are as many as the folds, fewer folds need not help.
    let advice =
      fewestGroups < folds
      ? [few + "can let each fold have \(ofOneGroup.isEmpty ? "every class" : "every other class")"] : []
    let reason =
      isGrouped ? "all positives of each are in one group" : "only one sample of each is a positive"
    return told(ofOneGroup, "\(reason), so none can be both learned and tested")
      + told(absent, "no positives in some of the folds, whose macro F1 leaves them out") + advice
  }
}
