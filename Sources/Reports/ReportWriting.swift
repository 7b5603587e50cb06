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
  /// SVG and PNG in `figures`. Files of the same names are replaced, and those of an earlier report's other figures removed,
  /// all together: work that is stopped changes none. A PNG of a figure that cannot be drawn as such stays as it is.
  ///
  /// - Parameter progress: called before each file is drawn; a throw ends the work.
  /// - Throws: `cannotCreate` or `inputOutput` for what cannot be written, and `inputOutput` for an earlier figure that cannot
  ///   be removed, when the new report is written. Where figures cannot be drawn as PNG, the rest is written all the same.
  package func write(to path: String, progress: () throws -> Void = {}) throws -> Output {
    let page = Self.page(at: path)
    let figures = figures
    if page == path {
      try progress()
      var files = StagedFiles()
      try files.add(Array(self.page(links: nil).utf8), at: page)
      try files.commit()
      return Output(page: page, figureCount: figures.count, pngProblem: nil)
    }
    let folders = [path, "\(path)/figures"]
    let newFolders = try folders.filter { try Self.makeFolder($0) }
    defer { for folder in newFolders.reversed() { Self.removeEmptyFolder(at: folder) } }
    var files = StagedFiles()
    let (drawn, problem) = try draw(figures, in: folders[1], files: &files, progress: progress)
    for name in try Self.outdatedFiles(in: folders[1], besides: figures).sorted() {
      files.remove("\(folders[1])/\(name)")
    }
    try progress()
    try files.add(Array(self.page(links: .init(folder: "figures", pngIDs: drawn)).utf8), at: page)
    try files.commit()
    return Output(page: page, figureCount: figures.count, pngProblem: problem)
  }

  /// Draws each figure as SVG, and as PNG where it can be.
  /// - Returns: the ids of those that are there as PNG, and why the first of the others is not.
  private func draw(
    _ figures: [Figure], in folder: String, files: inout StagedFiles, progress: () throws -> Void
  ) throws -> (ids: Set<String>, problem: Fault?) {
    var ids: Set<String> = []
    var problem: Fault?
    do { try FigurePixels.load() } catch let fault as Fault where fault.kind == .unavailable {
      problem = fault
    }
    let isLoaded = problem == nil
    for figure in figures {
      try progress()
      try files.add(Array(figure.file.utf8), at: "\(folder)/\(figure.id).svg")
      guard isLoaded else { continue }
      try progress()
      do {
        try files.add(FigurePixels.png(of: figure), at: "\(folder)/\(figure.id).png")
        ids.insert(figure.id)
      } catch let fault as Fault where fault.kind == .unavailable {
        problem = problem ?? fault
      }
    }
    return (ids, problem)
  }

  /// The names of an earlier report's files in a folder that are of none of the figures: SVGs that say they are figures of that
  /// name, and the PNGs beside them. Folders and links are none of a report's files.
  static func outdatedFiles(in folder: String, besides figures: [Figure]) throws -> Set<String> {
    let names = Set(try namesInFolder(folder).filter { isRegularFile("\(folder)/\($0)") })
    let kept = Set(figures.map(\.id))
    let ids = names.filter { $0.hasSuffix(".svg") }.map { String($0.dropLast(4)) }.filter { id in
      guard !kept.contains(id) else { return false }
      // What cannot be read is none of ours.
      guard let file = try? MappedFile(path: "\(folder)/\(id).svg") else { return false }
      return withExtendedLifetime(file) { Figure.isFile(file.bytes, of: id) }
    }
    return names.intersection(ids.flatMap { ["\($0).svg", "\($0).png"] })
  }

  private static func isRegularFile(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
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

  /// - Returns: whether it was not there before.
  private static func makeFolder(_ path: String) throws -> Bool {
    if mkdir(path, 0o777) == 0 {
      UnfinishedFiles.noteFolder(path)
      return true
    }
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
