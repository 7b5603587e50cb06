import ArgumentParser
import Faults
import Formats
import Reports
import Storage
import Training

/// `cellvec report`: a saved evaluation as a page with figures.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "report", abstract: "Draw a saved evaluation as a page with figures.",
    usage: "cellvec report <evaluation> [<options>] --output <path>",
    discussion: """
      The page is one file of HTML that opens without a network. A path that ends in \
      .html gets the page alone; any other becomes a folder with report.html, and each \
      figure as SVG and, where librsvg is installed, as PNG. With --db the report shows \
      cells, cut anew from the images that were ingested.

      Examples:
        cellvec report eval.json --db lab.cellvec --output report.html
        cellvec report eval.json --db lab.cellvec --output report/ --cells 12,4711
      """)

  @Argument(help: "File that cellvec evaluate --output has written.", completion: .file(extensions: ["json"]))
  var evaluation: String
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Where the report goes: a folder, or a file .html.", valueName: "path"),
    completion: .file())
  var output: String
  @OptionGroup var database: DatabaseOptions
  @Option(
    help:
      "The space, or \"space (head)\", whose classes and cells are shown; default: that of the best macro F1."
  )
  var space: String?
  @Option(help: ArgumentHelp("Cells to show with their channels, as in 12,4711.", valueName: "numbers"))
  var cells: String?
  @Option(help: "Colors of channels: hpa (nucleus blue, protein green) or accessible (cyan, magenta).")
  var colors = ChannelColors.hpa
  @Option(
    help: ArgumentHelp("Folder that has the images now, should they have moved.", valueName: "folder"),
    completion: .directory)
  var images: String?
  @OptionGroup var talk: TalkOptions

  private var rows: [Row]? { cells.map { names(in: $0).compactMap { Row($0) } } }

  func validate() throws {
    if let cells, rows.map({ $0.isEmpty || $0.count != names(in: cells).count }) ?? false {
      throw ValidationError("--cells: expected numbers of cells such as 12,4711, found \"\(cells)\"")
    }
  }

  func run() throws {
    let page = PrintedReport.page(at: output)
    try requireSeparateFiles(outputs: [page], inputs: [evaluation])
    let database = try database.openIfNamed()
    try requireImageFolder(of: database)
    try database?.requireImagesKept(by: [page], keepsFolders: true)
    try DrawnReport(
      of: Evaluation(path: evaluation), database: database,
      options: .init(space: space, cells: rows, colors: colors, imageFolder: images), talk: talk
    ).write(to: output)
  }

  /// - Throws: `usage` for a folder of images without a database, `missingInput` for one that does not exist.
  private func requireImageFolder(of database: Database?) throws {
    guard let images else { return }
    guard database != nil else {
      throw Fault(
        .usage, "--images", "has the images of a database, and none is named",
        remedy: "give its directory with --db, or leave --images out")
    }
    // With the dot, a file leads nowhere.
    guard !images.isEmpty, FileIdentity(path: "\(images)/.") != nil else {
      throw Fault(
        .missingInput, images, "is no folder that can be looked into",
        remedy: "name the folder that has the images now with --images")
    }
  }
}

extension ChannelColors: ExpressibleByArgument {}
