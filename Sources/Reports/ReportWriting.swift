package import Faults
import Formats
import Glibc
import Plots

extension PrintedReport {
  /// What was written.
  package struct Output: Sendable {
    /// The page.
    package let page: String
    package let figureCount: Int
    /// Why figures are missing as PNG, the first of the reasons; nil where all are there, or where none were asked for.
    package let pngProblem: Fault?
  }

  /// Writes the report: to a path that ends in ".html" the page alone, else a folder with `report.html`, and each figure as
  /// SVG and PNG in `figures`. Files of the same names are replaced, each complete or not at all.
  ///
  /// - Parameter progress: called before each file of a folder with how many figures are complete, as SVG and where they
  ///   can be drawn as PNG; a throw ends the work.
  /// - Throws: `cannotCreate` or `inputOutput` for what cannot be written; in a folder it says what is complete. Where
  ///   figures cannot be drawn as PNG, the rest is written all the same.
  package func write(to path: String, progress: (_ complete: Int) throws -> Void = { _ in }) throws -> Output
  {
    if Self.isPage(path) {
      try progress(0)
      try write(page(links: nil), to: path)
      return Output(page: path, figureCount: figures.count, pngProblem: nil)
    }
    let folder = "\(path)/figures"
    try Self.makeFolder(path)
    try Self.makeFolder(folder)
    let page = Self.page(at: path)
    let figures = figures
    var complete = 0
    do {
      let (drawn, problem) = try draw(figures, in: folder) {
        complete = $0
        try progress($0)
      }
      complete = figures.count
      try progress(complete)
      try write(self.page(links: .init(folder: "figures", pngIDs: drawn)), to: page)
      return Output(page: page, figureCount: figures.count, pngProblem: problem)
    } catch let fault as Fault where fault.kind != .cancelled {
      throw Fault(
        fault.kind, fault.subject,
        "\(fault.problem); \(complete) of \(figures.count) figures are complete, and the page is not written",
        remedy: fault.remedy)
    }
  }

  /// Draws each figure as SVG, and as PNG where it can be.
  /// - Parameter progress: called before each file with how many figures are complete.
  /// - Returns: the ids of those that are there as PNG, and why the first of the others is not.
  private func draw(
    _ figures: [Figure], in folder: String, progress: (Int) throws -> Void
  ) throws -> (ids: Set<String>, problem: Fault?) {
    var ids: Set<String> = []
    var problem: Fault?
    do { try FigurePixels.load() } catch let fault as Fault where fault.kind == .unavailable {
      problem = fault
    }
    let isLoaded = problem == nil
    for (number, figure) in figures.enumerated() {
      try progress(number)
      try write(figure.file, to: "\(folder)/\(figure.id).svg")
      guard isLoaded else { continue }
      try progress(number)
      do {
        try FigurePixels.write(figure, to: "\(folder)/\(figure.id).png")
        ids.insert(figure.id)
      } catch let fault as Fault where fault.kind == .unavailable {
        problem = problem ?? fault
      }
    }
    return (ids, problem)
  }

  /// Where the page lies of a report that is written to a path.
  package static func page(at path: String) -> String { isPage(path) ? path : "\(path)/report.html" }

  /// Makes sure that a report can be written to a path, before the work that leads to one: makes its folder, or tries
  /// the file, which stays as it is.
  ///
  /// - Returns: whether a folder was made, to be given to `removeEmptyFolder` where no report follows.
  /// - Throws: `cannotCreate`.
  package static func prepare(at path: String) throws -> Bool {
    if isPage(path) {
      _ = try AtomicFile(path: path)
      return false
    }
    return try makeFolder(path)
  }

  /// Removes a folder that nothing was written to.
  package static func removeEmptyFolder(at path: String) { rmdir(path) }

  private static func isPage(_ path: String) -> Bool { path.lowercased().hasSuffix(".html") }

  func page(links: HTMLPage.FigureLinks?) -> String {
    HTMLPage(title: title, subtitle: subtitle, sections: sections, links: links).serialized()
  }

  private func write(_ text: String, to path: String) throws {
    var file = try AtomicFile(path: path)
    try file.write(Array(text.utf8))
    try file.commit()
  }

  /// - Returns: whether it was not there before.
  @discardableResult private static func makeFolder(_ path: String) throws -> Bool {
    if mkdir(path, 0o777) == 0 { return true }
    var status = stat()
    if errno == EEXIST, stat(path, &status) == 0 {
      if status.st_mode & S_IFMT == S_IFDIR { return false }
      throw Fault(
        .cannotCreate, path, "exists and is no folder", remedy: "name a folder, or a file that ends in .html")
    }
    let fault = Fault.system(path, "make the folder")
    throw Fault(.cannotCreate, fault.subject, fault.problem, remedy: fault.remedy)
  }
}
