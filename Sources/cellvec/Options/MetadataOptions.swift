import ArgumentParser
import Faults
import Storage

/// How columns of a table become fields.
struct FieldTypeOptions: ParsableArguments {
  @Option(
    name: .customLong("type"), parsing: .upToNextOption,
    help: ArgumentHelp(
      "Type of a column that is not to be guessed: name=string, name=list (a;b or a,b) or name=number.",
      valueName: "name=type"))
  var declarations: [String] = []

  func types() throws -> [String: FieldType] {
    var types: [String: FieldType] = [:]
    for declaration in declarations {
      let parts = declaration.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2, let type = FieldType(rawValue: parts[1]) else {
        throw Fault(
          .usage, "--type", expected: "name=string, name=list or name=number", found: "\"\(declaration)\"")
      }
      types[parts[0]] = type
    }
    return types
  }
}

/// What is known of images beside their pixels.
struct MetadataOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Table (CSV, TSV): a row for each image, well or plate.", valueName: "file"),
    completion: .file())
  var metadata: String?

  @Option(
    help: ArgumentHelp(
      "Column of the table that names images (or a part of their names); found by itself by default.",
      valueName: "column", visibility: .hidden))
  var join: String?

  @Option(
    help: ArgumentHelp(
      "Regular expression that takes image names apart; named groups such as (?<well>[A-H]\\d\\d) become fields.",
      valueName: "regex", visibility: .hidden))
  var namePattern: String?

  @OptionGroup(visibility: .hidden) var fieldTypes: FieldTypeOptions
}
