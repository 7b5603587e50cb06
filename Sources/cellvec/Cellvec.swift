import ArgumentParser
import Faults
import Glibc
import Storage

/// The root of the command line.
struct Cellvec: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cellvec",
    abstract: "A vector database with classification for fluorescence microscopy.",
    discussion: """
      Examples:
        cellvec ingest plate1/ --db lab.cellvec --backbone dino.pth
        cellvec search --db lab.cellvec --cell 4711 -k 20 --where "gene = 'BAG6'"
        cellvec train --db lab.cellvec --labels localization --group gene

      --db may be left out where the environment variable \(DatabaseOptions.variable) names the database.
      """,
    version: storageVersion,
    groupedSubcommands: [
      CommandGroup(
        name: "Cells in and out",
        subcommands: [Ingest.self, Import.self, Export.self, Planes.self, Crops.self]),
      CommandGroup(
        name: "Care of a database",
        subcommands: [
          Update.self, Delete.self, Fields.self, Spaces.self, Merge.self, Backup.self, Compact.self,
        ]),
      CommandGroup(
        name: "Search",
        subcommands: [
          Search.self, IndexCommand.self, List.self, Count.self, Show.self, Stats.self, Check.self,
        ]),
      CommandGroup(
        name: "Classification",
        subcommands: [Train.self, Evaluate.self, KNN.self, Predict.self, Heads.self, ReportCommand.self]),
      CommandGroup(name: "Model and simulation", subcommands: [Models.self, Simulate.self]),
    ])

  /// Runs the command line of this process and ends it with the status that fits the outcome.
  static func runAndExit() -> Never {
    // A closed pipe is then an error of `write`, which `StandardOutput` turns into a quiet end.
    signal(SIGPIPE, SIG_IGN)
    do {
      try requireLegibleArguments()
      var command = try parseAsRoot(joiningNegativeNumbers(CommandLine.arguments.dropFirst()))
      try InstructionSet.check()
      try command.run()
      Glibc.exit(ExitStatus.done.rawValue)
    } catch let status as ExitStatus {
      Glibc.exit(status.rawValue)
    } catch let fault as Fault {
      StandardError.writeLine("cellvec: \(fault.description)")
      if !fault.excerpt.isEmpty { StandardError.writeLines(fault.excerpt) }
      Glibc.exit(ExitStatus(fault.kind).rawValue)
    } catch {
      // Help and version, which are no errors.
      if exitCode(for: error).isSuccess { exit(withError: error) }
      if let fault = unknownVerb(in: CommandLine.arguments.dropFirst()) {
        StandardError.writeLine("cellvec: \(fault.description)")
        Glibc.exit(ExitStatus(fault.kind).rawValue)
      }
      // The parser's own errors, which end with status 64 and may quote any argument.
      StandardError.writeLines(fullMessage(for: error))
      Glibc.exit(exitCode(for: error).rawValue)
    }
  }
}
