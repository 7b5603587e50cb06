import ArgumentParser
import Faults
import Formats
import Glibc

/// Values for the parameters of a filter, such as `:gene`.
struct ParameterOptions: ParsableArguments {
  @Option(
    name: .customLong("param"), parsing: .upToNextOption,
    help: ArgumentHelp("Value of :name in --where; repeat it for a list.", valueName: "name=value"))
  private var declarations: [String] = []

  @Option(
    name: .customLong("param-file"), parsing: .upToNextOption,
    help: ArgumentHelp("Values of :name, one a line: name=file.", valueName: "file"))
  private var files: [String] = []

  /// The files that values are read from.
  var paths: [String] {
    files.compactMap { declaration in
      declaration.firstIndex(of: "=").map { String(declaration[declaration.index(after: $0)...]) }
    }
  }

  /// The values of each parameter by its name.
  /// - Throws: `usage` for what is no assignment; the faults of reading a file, and `badData` for a line that is
  ///   not UTF-8.
  func values() throws -> [String: [String]] {
    var values: [String: [String]] = [:]
    for declaration in declarations {
      let (name, value) = try parts(of: declaration, option: "--param", holding: "name=value")
      values[name, default: []].append(value)
    }
    for declaration in files {
      let (name, path) = try parts(of: declaration, option: "--param-file", holding: "name=file")
      values[name, default: []] += try filledLines(ofFile: path)
    }
    return values
  }

  private func parts(
    of declaration: String, option: String, holding form: String
  ) throws -> (name: String, value: String) {
    guard let sign = declaration.firstIndex(of: "="), sign > declaration.startIndex else {
      throw Fault(.usage, option, expected: form, found: "\"\(declaration)\"")
    }
    let name = declaration[..<sign]
    return (
      String(name.first == ":" ? name.dropFirst() : name),
      String(declaration[declaration.index(after: sign)...])
    )
  }
}

/// The lines of a file that are not blank, without white space around them. A pipe will do.
private func filledLines(ofFile path: String) throws -> [String] {
  guard let file = fopen(path, "r") else { throw Fault.system(path, "open") }
  defer { fclose(file) }
  var lines: [String] = []
  var buffer: UnsafeMutablePointer<CChar>?
  var capacity = 0
  defer { free(buffer) }
  var number = 0
  while true {
    errno = 0
    let count = getline(&buffer, &capacity, file)
    guard count >= 0, let start = buffer else { break }
    number += 1
    var bytes = UnsafeRawBufferPointer(start: start, count: count)[...]
    if number == 1, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
    guard let line = String(validating: bytes, as: UTF8.self) else {
      throw Fault(.badData, "\(path) line \(number)", "is not UTF-8", remedy: "save the file as UTF-8")
    }
    let trimmed = line.trimmingSpaces
    if !trimmed.isEmpty { lines.append(trimmed) }
  }
  if ferror(file) != 0 { throw Fault.system(path, "read") }
  return lines
}
