package import Faults
import Plots
package import Storage
package import Training

/// An evaluation as a page with figures: what a laboratory would print, and what a paper would show.
package struct PrintedReport: Sendable {
  package struct Options: Sendable {
    /// The space that classes, curves and samples are shown of; nil for the one of the best macro F1.
    package var space: String?
    /// Cells to show with their channels; nil chooses typical ones.
    package var cells: [Row]?
    package var colors: ChannelColors
    /// A folder with the images that the database remembers; nil where they are where they were.
    package var imageFolder: String?

    package init(
      space: String? = nil, cells: [Row]? = nil, colors: ChannelColors = .hpa, imageFolder: String? = nil
    ) {
      self.space = space
      self.cells = cells
      self.colors = colors
      self.imageFolder = imageFolder
    }
  }

  let title: String
  let subtitle: String
  let sections: [PageSection]
  /// Why there are cells without a picture.
  package let pictureProblems: [Fault]
  /// Cells that were to be shown, and those without a picture.
  package let cellCounts: (wanted: Int, withoutPicture: Int)

  /// What is shown of at most.
  private enum Limit {
    static let samples = 6
    static let tableLines = 60
    static let vectors = 3000
  }

  /// - Parameters:
  ///   - database: where pictures and vectors come from; nil for a report without them. One that is not the evaluated
  ///     one gives none either.
  ///   - progress: called before each image that is read; a throw ends the work.
  /// - Throws: `missingInput` for a space or cell that was not evaluated, `badData` for an evaluation without runs, and
  ///   faults of the database.
  package init(
    of evaluation: Evaluation, options: Options = Options(), database: Database? = nil,
    progress: () throws -> Void = {}
  ) throws {
    let view = RunView(try Self.chosenRun(of: evaluation, space: options.space), of: evaluation)
    let chosen = try options.cells.map { try Self.shownCells($0, in: view) }
    let samples = chosen ?? view.typicalSamples(limit: Limit.samples).map(view.shownCell)
    let noise = view.labelNoise()
    let listedNoise = Array(noise.prefix(Limit.tableLines))
    let questioned = Set(listedNoise.map(\.sample))
    let allMistakes = view.mistakes()
    // What is listed as a question is not shown twice.
    let mistakes = allMistakes.filter { !questioned.contains($0.sample) }
    let listed = mistakes.prefix(Self.montageLimit) + noise.prefix(Self.montageLimit)
    let rows = (samples + listed.map { view.shownCell($0.sample) }).map(\.row)
    let (pictures, vectors): (CellPictures?, SampleVectorTable?) =
      try database?.read { snapshot in
        let name = view.run.space.nameWhereTested
        if let difference = try evaluation.difference(from: snapshot, in: view.run.space) {
          let wanted = Set(rows).count
          return (CellPictures(problem: difference, wantedCount: wanted, colors: options.colors), nil)
        }
        let pictures = try CellPictures(
          of: rows, in: name, of: snapshot,
          search: ImageSearch(folder: options.imageFolder, database: database?.path ?? "."),
          colors: options.colors, progress: progress)
        return (pictures, try Self.vectors(of: view, in: name, of: snapshot))
      } ?? (nil, nil)
    pictureProblems = pictures?.problems ?? []
    cellCounts = (
      wanted: pictures?.wantedCount ?? 0,
      withoutPicture: pictures.map { $0.wantedCount - $0.byRow.count } ?? 0
    )
    title = "Classification of \(evaluation.labelField)"
    let spaceCount = Set(evaluation.runs.map(\.space.name)).count
    subtitle =
      "\(grouped(evaluation.samples.count)) samples, \(evaluation.classes.count) classes, "
      + (spaceCount == 1 ? "1 space" : "\(spaceCount) spaces") + "; \(evaluation.splitting)"
    let found: [PageSection?] = [
      Self.summary(of: evaluation), Self.fewShot(of: evaluation), Self.classes(of: view),
      Self.confusion(of: view), Self.reliability(of: view), Self.abstention(of: view),
      Self.learning(of: view),
      Self.samples(samples, areTypical: chosen == nil, of: view, pictures),
      Self.mistakes(
        Array(mistakes.prefix(Limit.tableLines)), total: allMistakes.count,
        questioned: allMistakes.count - mistakes.count, of: view, pictures),
      Self.labelNoise(listedNoise, total: noise.count, of: view, pictures),
      Self.map(vectors, of: view), Self.pictureNotes(pictureProblems),
    ]
    sections = found.compactMap { $0 }
  }

  var figures: [Figure] {
    sections.flatMap(\.items).compactMap { item in
      if case .figure(let figure, _) = item { figure } else { nil }
    }
  }

  private static func chosenRun(of evaluation: Evaluation, space: String?) throws -> Evaluation.Run {
    var runs = evaluation.fullRuns
    if let space {
      // As the report calls it, where several heads of a space were compared, or the space with the best of its heads.
      if let run = runs.first(where: { $0.name == space }) { return run }
      let names = runs.map(\.name)
      runs.removeAll { $0.space.name != space }
      if runs.isEmpty { throw Fault.unknownName(.missingInput, "space", space, among: names) }
    }
    func score(_ run: Evaluation.Run) -> Double { run.summary[.macroF1]?.mean ?? -1 }
    guard let first = runs.first else {
      throw Fault(.badData, "evaluation", expected: "a run", found: "none", remedy: "evaluate again")
    }
    return runs.dropFirst().reduce(first) { score($1) > score($0) ? $1 : $0 }
  }

  private static func shownCells(_ cells: [Row], in view: RunView) throws -> [ShownCell] {
    try cells.map { row in
      if let cell = view.shownCell(at: row) { return cell }
      throw Fault(
        .missingInput, "cell \(row)", "is no sample that was tested, and in none",
        remedy:
          "name cells of the evaluation, such as \(view.tested.prefix(3).map { "\(view.evaluation.samples.row(of: $0))" }.joined(separator: ", "))"
      )
    }
  }

  /// Vectors of tested samples, evenly over all of them. Means of several cells are not in the database.
  private static func vectors(
    of view: RunView, in spaceName: String, of snapshot: borrowing Snapshot
  ) throws -> SampleVectorTable? {
    guard let space = snapshot.space(named: spaceName),
      view.tested.allSatisfy({ view.evaluation.samples.cellCount(of: $0) == 1 })
    else { return nil }
    let step = max(1, (view.tested.count + Limit.vectors - 1) / Limit.vectors)
    let samples = stride(from: 0, to: view.tested.count, by: step).map { view.tested[$0] }
    let sampleOfRow = Dictionary(samples.map { (view.evaluation.samples.row(of: $0), $0) }) { first, _ in
      first
    }
    var found: [Int] = []
    var values: [Float] = []
    try snapshot.forEachBlock(of: space, containing: RowSet(sampleOfRow.keys.sorted())) { block in
      for row in block.rows {
        guard let sample = sampleOfRow[row] else { continue }
        found.append(sample)
        values += block.vector(of: row)
      }
    }
    guard values.allSatisfy(\.isFinite) else { return nil }
    return SampleVectorTable(samples: found, dimension: space.dimension, values: values)
  }

  private static func pictureNotes(_ problems: [Fault]) -> PageSection? {
    guard !problems.isEmpty else { return nil }
    let limit = 10
    let more = problems.count > limit ? ["and \(problems.count - limit) more"] : []
    return PageSection(
      id: "pictures", heading: "Missing pictures",
      items: [.notes(problems.prefix(limit).map(\.description) + more)])
  }
}
