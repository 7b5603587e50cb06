import ArgumentParser
import Faults
import Ingest
import Storage

/// `cellvec fields`: the columns of metadata.
struct Fields: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "fields", abstract: "List, rename and drop metadata fields.",
    subcommands: [ListFields.self, RenameField.self, DropField.self], defaultSubcommand: ListFields.self)
}

/// `cellvec fields list`.
struct ListFields: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "list", abstract: "List fields with their types and how many cells have a value.")

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let report = try database.open().read { snapshot in
      var report = Report(["field", "type", "cells", "distinct"])
      for field in snapshot.fields {
        let distinct = field.type == .number ? nil : try snapshot.distinctTexts(field).count
        report.append([
          .text(field.name), .text(field.type.rawValue),
          .integer(try snapshot.rows(withValueIn: field).count), distinct.map { .integer($0) } ?? .null,
        ])
      }
      return report
    }
    try StandardOutput.write(report, as: output.format)
  }
}

/// `cellvec fields rename`.
struct RenameField: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "rename", abstract: "Give a field another name.",
    usage: "cellvec fields rename <field> <name> [<options>]",
    discussion: """
      Trained heads go on to write fields named after the old name.
      """)

  @Argument(help: "Name of the field.") var field: String
  @Argument(help: "Its new name.") var name: String
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var writer: WriterOptions
  @OptionGroup var talk: TalkOptions

  func run() throws {
    try checkFieldName(field)
    try checkFieldName(name)
    let writer = try self.writer.open(path: database.path(), isQuiet: talk.quiet)
    let field = try writer.database.read { try $0.requiredField(named: self.field) }
    try writer.write { try $0.rename(field, to: name) }
    talk.say("renamed field \(field.name) to \(name)")
  }
}

/// `cellvec fields drop`.
struct DropField: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "drop", abstract: "Remove a field with its values from all cells.",
    usage: "cellvec fields drop <field> [<options>]")

  @Argument(help: "Name of the field.") var field: String
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var confirmation: ConfirmationOptions
  @OptionGroup var writer: WriterOptions
  @OptionGroup var talk: TalkOptions

  func run() throws {
    try checkFieldName(field)
    let writer = try self.writer.open(path: database.path(), isQuiet: talk.quiet)
    let (field, cells) = try writer.database.read { snapshot in
      let field = try snapshot.requiredField(named: self.field)
      return (field, try snapshot.rows(withValueIn: field).count)
    }
    try confirmation.require("drop field \(field.name) with the values of \(cells) cells")
    Interruption.listen()
    let progress = ProgressLine(counting: "cells", of: cells, isQuiet: talk.quiet)
    try writer.drop(field) {
      progress.update(done: $0)
      try Interruption.check()
    }
    progress.finish()
    talk.say("dropped field \(field.name)")
  }
}
