import Filter
import Storage

/// The parts of a filter as `count --explain` shows them.
struct FilterReport {
  let report: Report

  /// - Parameters:
  ///   - explanations: the same filter evaluated one or more times.
  ///   - isIndented: whether parts stand further right the deeper they lie.
  init(_ explanations: [[FilterPart]], isIndented: Bool) {
    report = Report(
      ["depth", "cells", Column("milliseconds", decimals: 3), "condition"],
      rows: explanations[0].enumerated().map { index, part in
        let times = explanations.map { $0[index].duration / .milliseconds(1) }.sorted()
        let indent = String(repeating: "  ", count: isIndented ? part.depth : 0)
        return [
          .integer(part.depth), .integer(part.rows.count), .real(times[times.count / 2]),
          .text(indent + part.text),
        ]
      })
  }
}
