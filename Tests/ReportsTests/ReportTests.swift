import Faults
import FoundationXML
import Plots
import TestSupport
import Testing
import Training

import struct Foundation.Data
import class Foundation.FileManager

@testable import Reports

@Suite struct ReportTests {
  private func page(_ synthetic: SyntheticEvaluation, _ options: PrintedReport.Options = .init()) throws
    -> String
  {
    try PrintedReport(of: synthetic.make(), options: options).page(links: nil)
  }

  private func expectWellFormed(_ page: String) {
    let parser = XMLParser(data: Data(page.utf8))
    #expect(parser.parse(), "\(String(describing: parser.parserError))")
    #expect(page.hasPrefix("<!DOCTYPE html>\n<html"))
    #expect(!page.contains("<script"))
    // Nothing is fetched: addresses lead within the page, or name what its elements are.
    let links = page.split(separator: "href=\"").dropFirst().filter {
      !$0.hasPrefix("#") && !$0.hasPrefix("data:")
    }
    #expect(links.isEmpty)
    #expect(!page.contains("src=\"http") && !page.contains("url("))
  }

  @Test func everyPartIsThere() throws {
    let page = try page(SyntheticEvaluation(fractions: [0.1, 0.5, 1], warnings: ["class Golgi is rare"]))
    expectWellFormed(page)
    for id in [
      "summary", "few-shot", "classes", "precision-recall", "roc", "confusion", "reliability", "learning",
      "samples",
    ] {
      #expect(page.contains("figure-\(id)"), "\(id)")
    }
    for words in [
      "grouped by gene", "class Golgi is rare", "Macro F1 by backbone and strategy", "replicate",
      "p, corrected t",
      "Labels to look at again", "Most confident mistakes", "Without the database there are no pictures",
      "&lt; 0.0001", "0123abcd", "cell 12",
    ] {
      #expect(page.contains(words), "\(words)")
    }
  }

  @Test func oneLabelIsTalkedOfAsSuch() throws {
    let page = try page(SyntheticEvaluation(separation: 2, flipped: [3, 4], task: .single))
    expectWellFormed(page)
    for words in [
      "one label a sample, the likeliest class is predicted", "adds up to 100 %", "Cohen&#39;s kappa",
      "balanced accuracy",
      "rather than",
    ] {
      #expect(page.contains(words) || page.contains(words.replacing("&#39;", with: "'")), "\(words)")
    }
    #expect(!page.contains("the last column has those") && !page.contains("Hamming"))
  }

  /// What is asked about below is no mistake to be shown as well.
  @Test func noSampleIsShownAsAMistakeAndAsAQuestion() throws {
    let synthetic = SyntheticEvaluation(separation: 6, flipped: [0, 11, 50, 77])
    let report = try PrintedReport(of: synthetic.make())
    let (questions, mistakes) = (names("label-noise", in: report), names("mistakes", in: report))
    #expect(!questions.isEmpty && questions.isDisjoint(with: mistakes))
    #expect(questions.union(mistakes).isSuperset(of: ["cell 0", "cell 33", "cell 150", "cell 231"]))
  }

  @Test func questionsThatAreNotListedMayBeMistakes() throws {
    let flipped = Set(stride(from: 0, to: 1200, by: 5))
    let synthetic = SyntheticEvaluation(
      sampleCount: 1200, spaces: [("map", "vit", "map")], separation: 6, flipped: flipped, task: .single)
    let evaluation = try synthetic.make()
    let view = RunView(evaluation.runs[0], of: evaluation)
    let questioned = Set(view.labelNoise().map { view.name($0.sample) })
    let report = try PrintedReport(of: evaluation)
    let (questions, mistakes) = (names("label-noise", in: report), names("mistakes", in: report))
    #expect(questioned.count > 60 && questions.count == 60 && mistakes.count == 60)
    #expect(questions.isDisjoint(with: mistakes) && !questioned.isDisjoint(with: mistakes))
    #expect(report.page(links: nil).contains("60 of these are left out here"))
  }

  /// The samples in the tables of a section.
  private func names(_ id: String, in report: PrintedReport) -> Set<String> {
    let items = report.sections.first { $0.id == id }?.items ?? []
    return items.reduce(into: []) { names, item in
      if case .table(let table) = item { names.formUnion(table.rows.map { $0[0] }) }
    }
  }

  /// The light of the endoplasmic reticulum is not the protein's.
  @Test(arguments: ChannelColors.allCases) func channelsAreTold(colors: ChannelColors) {
    for roles in [
      ["protein", "er"], ["protein", "nucleus", "er"], ["protein", "nucleus", "microtubules", "er"],
    ] {
      let values = colors.values(of: roles)
      #expect(Set(values).count == roles.count)
    }
    #expect(ChannelColors.hpa.values(of: ["protein", "er"]) == [0x22e045, 0xff3b30])
    #expect(ChannelColors.hpa.values(of: ["protein", "nucleus", "microtubules", "er"])[3] == 0xffd60a)
  }

  /// Names of fields, classes, images and spaces are whatever users have typed.
  @Test func hostileNamesStayText() throws {
    let hostile = "<script>alert(\"x\")</script>' & ]]> \u{1}\u{FFFE}\n"
    let page = try page(
      SyntheticEvaluation(
        classes: ["<b>a</b>", hostile].sorted(), sampleCount: 30,
        spaces: [(hostile, hostile, hostile), ("rep", hostile, "replicate")], image: { _ in hostile },
        group: { _ in hostile }, name: { "\(hostile)\($0)" }, warnings: [hostile]))
    expectWellFormed(page)
    #expect(!page.contains("<b>a") && page.contains("&lt;b&gt;a"))
    #expect(page.contains("&lt;script&gt;alert(&quot;x&quot;)"))
  }

  @Test(arguments: [1, 2, 17, 100]) func anyNumberOfClasses(count: Int) throws {
    let classes = (0..<count).map { "class \($0)" }.sorted()
    let synthetic = SyntheticEvaluation(classes: classes, sampleCount: max(30, 2 * count))
    expectWellFormed(try page(synthetic))
  }

  @Test func withoutAMistakeThePageSaysSo() throws {
    let page = try page(SyntheticEvaluation(separation: nil))
    expectWellFormed(page)
    #expect(page.contains("No decision about any sample is wrong."))
    #expect(page.contains("No label is contradicted more than heads usually do."))
  }

  /// In a transfer some samples only teach: they have no probability.
  @Test func samplesThatOnlyTeachAreNotShown() throws {
    let whole = try SyntheticEvaluation(spaces: [("map", "vit", "map")]).make()
    let run = whole.runs[0]
    let folds = whole.testFolds[0].indices.map { $0 < 60 ? -1 : whole.testFolds[0][$0] }
    let values = run.predictions[0].probabilities.values.enumerated().map { $0 / 3 < 60 ? Float.nan : $1 }
    let half = Evaluation(
      labelField: whole.labelField, labelMap: nil, sampleUnit: "cell", groupField: nil, design: whole.design,
      classes: whole.classes, samples: whole.samples, testFolds: [folds], fingerprint: "",
      runs: [
        .init(
          space: run.space, fraction: 1, configuration: run.configuration, folds: run.folds,
          predictions: [.init(probabilities: PackedFloats(values), pooled: run.predictions[0].pooled)],
          summary: run.summary, macroF1Interval: nil)
      ], comparisons: [], warnings: [])
    let view = RunView(half.runs[0], of: half)
    #expect(view.tested == Array(60..<120))
    let page = try PrintedReport(of: half).page(links: nil)
    expectWellFormed(page)
    #expect(page.contains("UNGROUPED") && !page.contains("nan"))
  }

  /// Heads that are compared are told apart everywhere, and those of neighbors have nothing that only training has.
  @Test func headsAreToldApartAndNeighborsHaveNoCurve() throws {
    let whole = try SyntheticEvaluation(spaces: [("map", "vit", "map")]).make()
    let first = whole.runs[0]
    var voting = TrainingConfiguration()
    voting.neighbors = NeighborConfiguration(counts: [5])
    func run(_ head: String?, _ configuration: TrainingConfiguration) -> Evaluation.Run {
      let folds = first.folds.map {
        Evaluation.Fold(
          repetition: $0.repetition, fold: $0.fold, trainCount: $0.trainCount,
          validationCount: $0.validationCount, testCount: $0.testCount, thresholds: $0.thresholds,
          learningCurve: configuration.neighbors == nil ? $0.learningCurve : [], scores: $0.scores,
          values: $0.values)
      }
      return Evaluation.Run(
        space: first.space, head: head, fraction: 1, configuration: configuration, folds: folds,
        predictions: first.predictions, summary: first.summary, macroF1Interval: nil)
    }
    func drawn(_ runs: [Evaluation.Run]) throws -> String {
      let evaluation = Evaluation(
        labelField: whole.labelField, labelMap: nil, sampleUnit: "cell", groupField: nil,
        design: whole.design,
        classes: whole.classes, samples: whole.samples, testFolds: whole.testFolds, fingerprint: "",
        runs: runs,
        comparisons: [], warnings: [])
      let page = try PrintedReport(of: evaluation).page(links: nil)
      expectWellFormed(page)
      return page
    }
    let voted = "the 5 nearest train samples vote, each weighing exp(cosine / 0.07), nothing is trained"
    let compared = try drawn([run("linear", first.configuration), run("neighbors", voting)])
    #expect(compared.contains("Macro F1 by space and head") && compared.contains("map (neighbors)"))
    #expect(compared.contains("linear, at most") && compared.contains(voted))
    #expect(compared.contains("Learning curves") && compared.contains("Space map (linear)."))
    let alone = try drawn([run(nil, voting)])
    #expect(alone.contains(voted) && !alone.contains("Learning curves") && !alone.contains("epochs"))
    #expect(alone.contains("Space map."))
  }

  @Test func theSpaceAndTheCellsCanBeNamed() throws {
    let synthetic = SyntheticEvaluation()
    let page = try page(synthetic, .init(space: "rep", cells: [3, 9]))
    #expect(page.contains("Space rep.") && page.contains("The samples that were asked for."))
    let unknown = #expect(throws: Fault.self) { try self.page(synthetic, .init(space: "mapp")) }
    #expect(unknown?.remedy.contains("did you mean \"map\"") == true)
    let cell = #expect(throws: Fault.self) { try self.page(synthetic, .init(cells: [1])) }
    #expect(cell?.kind == .missingInput && cell?.subject == "cell 1")
  }

  @Test func theCellThatWeighsMostStandsForItsSample() throws {
    let synthetic = SyntheticEvaluation(name: { "G\($0)" }, cellsASample: 3, hasAttention: true)
    let evaluation = try synthetic.make()
    let view = RunView(evaluation.runs[0], of: evaluation)
    #expect(view.shownCell(4) == ShownCell(sample: 4, row: 14, weight: 0.625))
    #expect(view.origin(view.shownCell(4)) == "3 cells, cell 14 with 0.63 of the attention · gene 0")
    #expect(view.shownCell(at: 13) == ShownCell(sample: 4, row: 13, weight: nil))
    #expect(view.shownCell(at: 14) == view.shownCell(4) && view.shownCell(at: 360) == nil)
    let page = try page(synthetic)
    expectWellFormed(page)
    #expect(page.contains("Of each sample it is the cell that the attention weighs most"))
    #expect(page.contains("<td class=\"number\">0.625</td>") || page.contains(">0.625<"))

    let means = try SyntheticEvaluation(name: { "G\($0)" }, cellsASample: 3).make()
    let ofMeans = RunView(means.runs[0], of: means)
    #expect(ofMeans.origin(ofMeans.shownCell(4)) == "3 cells, the first from image 0 · gene 0")
    #expect(ofMeans.choiceOfCell == "Of each sample it is the first cell. ")
    let asked = try self.page(SyntheticEvaluation(name: { "G\($0)" }, cellsASample: 3), .init(cells: [13]))
    #expect(asked.contains("3 cells, cell 13 · gene 0"))
    let cells = try SyntheticEvaluation().make()
    #expect(RunView(cells.runs[0], of: cells).choiceOfCell.isEmpty)
  }

  @Test func thePageSaysWhatIsHeldBackAndWhatFor() throws {
    let whole = try SyntheticEvaluation().make()
    #expect(
      PrintedReport.validation(of: whole)
        == "20 % of each fold's train groups, held back, though nothing was tuned on them")
    var configuration = TrainingConfiguration()
    configuration.thresholds = .fitted
    configuration.patience = 3
    var design = whole.design
    func changed() -> Evaluation {
      Evaluation(
        labelField: "l", labelMap: nil, sampleUnit: "cell", groupField: nil, design: design,
        classes: whole.classes, samples: whole.samples, testFolds: whole.testFolds, fingerprint: "",
        runs: whole.runs.map {
          .init(
            space: $0.space, fraction: 1, configuration: configuration, folds: $0.folds,
            predictions: $0.predictions, summary: $0.summary, macroF1Interval: nil)
        }, comparisons: [], warnings: [])
    }
    #expect(
      PrintedReport.validation(of: changed())
        == "20 % of each fold's train groups, for early stopping, fitted thresholds")
    design.validationShare = 0
    #expect(
      PrintedReport.validation(of: changed()) == "none: nothing is tuned, and all train groups teach")
  }

  /// librsvg draws no picture of more than 32,767 pixels a side.
  @Test func figuresOfAnySizeCanBeDrawn() throws {
    #expect(FigurePixels.size(width: 800, height: 600) == (1600, 1200))
    #expect(FigurePixels.size(width: 40_000, height: 100) == (32_000, 80))
    #expect(FigurePixels.size(width: 20_000, height: 20_000) == (10_000, 10_000))
    let report = try PrintedReport(of: SyntheticEvaluation().make())
    let page = report.page(links: .init(folder: "figures", pngIDs: ["summary"]))
    #expect(page.contains("figures/summary.png") && page.contains("figures/roc.svg"))
    #expect(!page.contains("figures/roc.png"))
  }

  @Test func aFolderHasThePageAndEveryFigure() throws {
    let report = try PrintedReport(of: SyntheticEvaluation().make())
    try withTemporaryDirectory { folder in
      let output = try report.write(to: "\(folder)/report")
      #expect(output.page == "\(folder)/report/report.html" && output.figureCount == report.figures.count)
      for figure in report.figures {
        let path = "\(folder)/report/figures/\(figure.id)"
        let svg = try #require(bytes(ofFile: "\(path).svg"))
        #expect(XMLParser(data: Data(svg)).parse())
        if output.pngProblem == nil {
          let png = try #require(bytes(ofFile: "\(path).png"))
          #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47]) && png.count > 2000)
        }
      }
      // Again, in place of the first; and the page alone.
      _ = try report.write(to: "\(folder)/report")
      let alone = try report.write(to: "\(folder)/one.HTML")
      #expect(alone.page == "\(folder)/one.HTML" && bytes(ofFile: "\(folder)/one.HTML") != nil)
      let fault = #expect(throws: Fault.self) { try report.write(to: "\(folder)/none/report") }
      #expect(fault?.kind == .cannotCreate)
      if let problem = output.pngProblem { skip("PNG: \(problem)") }
    }
  }

  @Test func figuresOfAnEarlierReportGoAndFilesOfOthersStay() throws {
    let full = try PrintedReport(of: SyntheticEvaluation(fractions: [0.5, 1]).make())
    let lesser = try PrintedReport(of: SyntheticEvaluation().make())
    #expect(full.figures.contains { $0.id == "few-shot" } && !lesser.figures.contains { $0.id == "few-shot" })
    try withTemporaryDirectory { folder in
      let path = "\(folder)/report"
      _ = try full.write(to: path)
      // Neither by another name nor without the figure's own words is a file one of the report's.
      let others = [
        "mine.svg", "few-shot-2.svg", "mine.png", "notes.txt", "few-shot.txt", "older.svg", "older.png",
      ]
      let figure = try #require(bytes(ofFile: "\(path)/figures/few-shot.svg"))
      for name in others { try write(name.hasPrefix("older") ? [1] : figure, to: "\(path)/figures/\(name)") }
      try write([3], to: "\(path)/figures/few-shot.png")
      try write([4], to: "\(path)/few-shot.svg")
      _ = try lesser.write(to: path)
      let names = try Set(FileManager.default.contentsOfDirectory(atPath: "\(path)/figures"))
      #expect(names.isSuperset(of: others))
      #expect(!names.contains("few-shot.svg") && !names.contains("few-shot.png"))
      #expect(names.isSuperset(of: lesser.figures.map { "\($0.id).svg" }))
      #expect(bytes(ofFile: "\(path)/few-shot.svg") == [4])
      // Nothing is left that a first report would not have.
      _ = try lesser.write(to: "\(folder)/first")
      #expect(
        try names.subtracting(others)
          == Set(FileManager.default.contentsOfDirectory(atPath: "\(folder)/first/figures")))
    }
  }

  @Test func onlyFilesOfFiguresThatTheReportLacksAreOutdated() throws {
    let full = try PrintedReport(of: SyntheticEvaluation(fractions: [0.5, 1]).make())
    let lesser = try PrintedReport(of: SyntheticEvaluation().make())
    try withTemporaryDirectory { folder in
      let path = "\(folder)/report"
      let figures = "\(path)/figures"
      _ = try full.write(to: path)
      for id in ["few-shot", "summary"] { try write([3], to: "\(figures)/\(id).png") }
      #expect(try PrintedReport.outdatedFiles(in: figures, besides: full.figures).isEmpty)
      #expect(
        try PrintedReport.outdatedFiles(in: figures, besides: lesser.figures)
          == ["few-shot.svg", "few-shot.png"])
      // A picture of the user's own stays where none is drawn in its place.
      let output = try full.write(to: path)
      #expect((bytes(ofFile: "\(figures)/summary.png") == [3]) == (output.pngProblem != nil))
      // A folder is no picture, and in nobody's way.
      let manager = FileManager.default
      try manager.removeItem(atPath: "\(figures)/few-shot.png")
      try manager.createDirectory(atPath: "\(figures)/few-shot.png", withIntermediateDirectories: false)
      _ = try lesser.write(to: path)
      #expect(manager.fileExists(atPath: "\(path)/report.html"))
      #expect(manager.fileExists(atPath: "\(figures)/few-shot.png"))
      #expect(!manager.fileExists(atPath: "\(figures)/few-shot.svg"))
    }
  }

  /// Not even one with a figure's name that leads to that figure.
  @Test func aLinkIsNoneOfTheFilesOfAReport() throws {
    let full = try PrintedReport(of: SyntheticEvaluation(fractions: [0.5, 1]).make())
    let lesser = try PrintedReport(of: SyntheticEvaluation().make())
    try withTemporaryDirectory { folder in
      let figures = "\(folder)/report/figures"
      _ = try full.write(to: "\(folder)/report")
      let manager = FileManager.default
      try manager.moveItem(atPath: "\(figures)/few-shot.svg", toPath: "\(folder)/few-shot.svg")
      try manager.createSymbolicLink(
        atPath: "\(figures)/few-shot.svg", withDestinationPath: "../../few-shot.svg")
      #expect(try PrintedReport.outdatedFiles(in: figures, besides: lesser.figures).isEmpty)
    }
  }

  @Test func aReportThatIsStoppedChangesNothing() throws {
    let report = try PrintedReport(of: SyntheticEvaluation().make())
    try withTemporaryDirectory { folder in
      let path = "\(folder)/report"
      func stop(after count: Int) throws {
        var rest = count
        let fault = #expect(throws: Fault.self) {
          try report.write(to: path) {
            if rest == 0 { throw Fault(.cancelled, "", "stopped") }
            rest -= 1
          }
        }
        #expect(fault?.kind == .cancelled)
      }
      for count in [0, 3] {
        try stop(after: count)
        #expect(!FileManager.default.fileExists(atPath: path))
      }
      // Of an earlier report, the page and all figures stay.
      _ = try report.write(to: path)
      try write([1], to: "\(path)/report.html")
      for figure in report.figures { try write([2], to: "\(path)/figures/\(figure.id).svg") }
      let names = try FileManager.default.subpathsOfDirectory(atPath: path).sorted()
      try stop(after: 3)
      #expect(bytes(ofFile: "\(path)/report.html") == [1])
      for figure in report.figures { #expect(bytes(ofFile: "\(path)/figures/\(figure.id).svg") == [2]) }
      #expect(try FileManager.default.subpathsOfDirectory(atPath: path).sorted() == names)
    }
  }

  @Test func theSameEvaluationGivesTheSameBytes() throws {
    let synthetic = SyntheticEvaluation()
    #expect(try page(synthetic) == page(synthetic))
  }
}
