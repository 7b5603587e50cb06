import ArgumentParser
import Faults
import Storage

/// `cellvec spaces`: the spaces of a database.
struct Spaces: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "spaces", abstract: "List, rename and drop embedding spaces.",
    subcommands: [ListSpaces.self, RenameSpace.self, DropSpace.self], defaultSubcommand: ListSpaces.self)
}

/// `cellvec spaces list`.
struct ListSpaces: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "list", abstract: "List spaces with their vectors, heads and weights.")

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let report = try database.open().read { snapshot in
      var report = Report(["space", "dimension", "vectors", "heads", "weights", "dtype"])
      for space in snapshot.spaces {
        report.append([
          .text(space.name), .integer(space.dimension), .integer(try snapshot.rows(in: space).count),
          .list(try snapshot.heads(of: space)), .text(space.backbonePath), .text(space.scalar.rawValue),
        ])
      }
      return report
    }
    try StandardOutput.write(report, as: output.format)
  }
}

/// `cellvec spaces rename`.
struct RenameSpace: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "rename", abstract: "Give a space another name.",
    usage: "cellvec spaces rename <space> <name> [<options>]")

  @Argument(help: "Name of the space.") var space: String
  @Argument(help: "Its new name.") var name: String
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var writer: WriterOptions
  @OptionGroup var talk: TalkOptions

  func run() throws {
    let writer = try self.writer.open(path: database.path(), isQuiet: talk.quiet)
    let space = try writer.database.read { try $0.requiredSpace(named: self.space) }
    try writer.write { try $0.rename(space, to: name) }
    talk.say("renamed space \(space.name) to \(name)")
  }
}

/// `cellvec spaces drop`.
struct DropSpace: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "drop", abstract: "Remove a space with its vectors and heads.",
    usage: "cellvec spaces drop <space> [<options>]",
    discussion: """
      Cells and their metadata stay, as do fields that heads have predicted. Cells
      that have no vector in another space can be removed with
      cellvec delete --unembedded.
      """)

  @Argument(help: "Name of the space.") var space: String
  @OptionGroup var database: DatabaseOptions
  @OptionGroup var confirmation: ConfirmationOptions
  @OptionGroup var writer: WriterOptions
  @OptionGroup var talk: TalkOptions

  func run() throws {
    let writer = try self.writer.open(path: database.path(), isQuiet: talk.quiet)
    let (space, vectors, heads) = try writer.database.read { snapshot in
      let space = try snapshot.requiredSpace(named: self.space)
      return (space, try snapshot.rows(in: space).count, try snapshot.heads(of: space))
    }
    let loss =
      heads.isEmpty ? "" : " and \(heads.count == 1 ? "head" : "heads") \(heads.joined(separator: ", "))"
    try confirmation.require("drop space \(space.name) with \(vectors) vectors\(loss)")
    try writer.write { try $0.drop(space) }
    talk.say("dropped space \(space.name) with \(vectors) vectors\(loss)")
    let left = try writer.database.read { try $0.unembeddedRows().count }
    if left > 0 {
      talk.say("\(left) cells have no vector any more; cellvec delete --unembedded removes them")
    }
  }
}

extension Snapshot {
  /// Names of the heads that were trained in a space.
  fileprivate func heads(of space: SpaceRecord) throws -> [String] {
    try heads().filter { $0.space == space.id }.map(\.name)
  }
}
