import Faults
import Formats
import FoundationEssentials

extension Evaluation {
  /// Reads a saved evaluation.
  /// - Throws: `missingInput` where there is no such file; `badData` for another one, one whose parts do not fit, or
  ///   one with numbers that no evaluation has.
  package init(path: String) throws {
    let file = try MappedFile(path: path)
    let evaluation: Evaluation
    do {
      let decoder = JSONDecoder()
      let bytes = withExtendedLifetime(file) { Data(file.bytes) }
      let version = try decoder.decode(EvaluationVersion.self, from: bytes).version
      guard (1...Self.currentVersion).contains(version) else {
        throw Fault(
          .badData, path, "is an evaluation of another version of cellvec",
          remedy: "read it with that version, or evaluate again")
      }
      evaluation = try decoder.decode(Evaluation.self, from: bytes)
    } catch let fault as Fault {
      throw fault
    } catch {
      throw Fault(
        .badData, path, expected: "the JSON that cellvec evaluate --output writes", found: "something else",
        remedy: "name a saved evaluation, or evaluate again")
    }
    guard evaluation.isConsistent else {
      throw Fault(.badData, path, "is an evaluation whose parts do not fit", remedy: "evaluate again")
    }
    try evaluation.requirePlausibleNumbers(path)
    self = evaluation
  }

  /// Makes sure that an evaluation can be saved at a path, before the work that leads to one; a file that is there
  /// stays as it is.
  /// - Throws: `cannotCreate`.
  package static func prepare(at path: String) throws { _ = try AtomicFile(path: path) }

  /// Writes the evaluation as JSON, complete or not at all.
  package func save(to path: String) throws {
    var file = try AtomicFile(path: path)
    try file.write(Array(canonicalJSON(self).utf8) + [UInt8(ascii: "\n")])
    try file.commit()
  }

  /// Whether all positions and counts are those of the classes, samples, folds and runs.
  private var isConsistent: Bool {
    let classRange = 0..<classes.count
    let repeats = testFolds.count
    return !classes.isEmpty && repeats > 0
      && samples.allSatisfy { $0.labels.allSatisfy(classRange.contains) }
      && testFolds.allSatisfy { $0.count == samples.count }
      && sampleCells.map(areCells) ?? true
      && runs.allSatisfy { run in
        run.predictions.count == repeats
          && run.predictions.allSatisfy {
            $0.probabilities.count == samples.count * classes.count
              && $0.pooled.perClass.count == classes.count
              && $0.attended.map(areAttended) ?? true
          }
          && run.folds.allSatisfy {
            (0..<repeats).contains($0.repetition) && $0.thresholds.count == classes.count
              && $0.scores.perClass.count == classes.count
          }
      }
      && comparisons.allSatisfy { runs.indices.contains($0.first) && runs.indices.contains($0.second) }
  }

  /// Whether these are the cells of the samples: as many as each has, its own row among them.
  private func areCells(_ cells: [[[UInt32]]]) -> Bool {
    cells.count == samples.count
      && zip(cells, samples).allSatisfy { ranges, sample in
        ranges.allSatisfy { $0.count == 2 && $0[0] < $0[1] }
          && zip(ranges, ranges.dropFirst()).allSatisfy { $0[1] < $1[0] }
          && ranges.reduce(0) { $0 + Int($1[1] - $1[0]) } == sample.cellCount
          && ranges.contains { ($0[0]..<$0[1]).contains(sample.row) }
      }
  }

  /// Whether these are cells of the samples, one each at most.
  private func areAttended(_ cells: [AttendedCell?]) -> Bool {
    cells.count == samples.count
      && cells.indices.allSatisfy { sample in
        cells[sample].map { contains($0.row, inSample: sample) } ?? true
      }
  }
}

private struct EvaluationVersion: Decodable {
  let version: Int
}
