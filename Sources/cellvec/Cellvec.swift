import ArgumentParser
import Faults
import Glibc
import Storage

/// The root of the command line.
struct Cellvec: ParsableCommand {
  static let name = "cellvec"

  static let configuration = CommandConfiguration(
    commandName: name,
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

  /// The command that a command line stands for, as `parseAsRoot` gives it.
  ///
  /// A line that begins with a verb is read by that verb alone, which takes half as long as through the root and the tree of
  /// all verbs. What it cannot make sense of is read from the root after all, which knows help, versions, scripts of
  /// completions and how each mistake is told.
  static func command(of arguments: [String]) throws -> any ParsableCommand {
    if let (verb, rest) = self.verb(of: arguments), let command = try? verb.parseAsRoot(rest),
      type(of: command) == verb
    {
      return command
    }
    return try parseAsRoot(arguments)
  }

  /// The verb without verbs of its own that a command line begins with, and what follows; nil where it begins with none.
  static func verb(
    of arguments: [String]
  ) -> (verb: any ParsableCommand.Type, rest: [String])? {
    var rest = arguments[...]
    var verb: any ParsableCommand.Type = self
    while !verb.configuration.subcommands.isEmpty {
      let named = verb.configuration.subcommands.first { $0.configuration.commandName == rest.first }
      guard let next = named ?? verb.configuration.defaultSubcommand else { return nil }
      if named != nil { rest.removeFirst() }
      verb = next
    }
    return (verb, Array(rest))
  }

  /// Runs the command line of this process and ends it with the status that fits the outcome.
  static func runAndExit() -> Never {
    // A closed pipe is then an error of `write`, which `StandardOutput` turns into a quiet end.
    signal(SIGPIPE, SIG_IGN)
    // So is a file that grows beyond a limit of its size (ulimit -f).
    signal(SIGXFSZ, SIG_IGN)
    let arguments = joiningNegativeNumbers(puttingHelpFirst(Array(CommandLine.arguments.dropFirst())))
    do {
      try requireLegibleArguments()
      // Scripts ask for the version; it needs no parser.
      if CommandLine.arguments.dropFirst().elementsEqual(["--version"]) {
        try StandardOutput.write(lines: [storageVersion])
        Glibc.exit(ExitStatus.done.rawValue)
      }
      if arguments.first == "help", let fault = unknownVerb(in: arguments) { throw fault }
      var command = try self.command(of: arguments)
      try requireOptionsOnce(in: arguments)
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
      // Help, versions and scripts of completions, which are no errors.
      if exitCode(for: error).isSuccess {
        if asksForCompletions(arguments) { tell(completingHelp(in: fullMessage(for: error))) }
        exit(withError: error)
      }
      if let fault = unknownVerb(in: arguments) ?? unknownOption(in: arguments) {
        StandardError.writeLine("cellvec: \(fault.description)")
        Glibc.exit(ExitStatus(fault.kind).rawValue)
      }
      // The parser's own errors, which end with status 64 and may quote any argument.
      StandardError.writeLines(fullMessage(for: error))
      Glibc.exit(exitCode(for: error).rawValue)
    }
  }
}

extension Cellvec {
  /// Writes a text to stdout and ends.
  private static func tell(_ text: String) -> Never {
    do {
      try StandardOutput.write(lines: [text])
    } catch {
      StandardError.writeLine("cellvec: \(error)")
      Glibc.exit(ExitStatus.inputOutput.rawValue)
    }
    Glibc.exit(ExitStatus.done.rawValue)
  }
}

extension CommandConfiguration {
  /// The configuration of a verb, under the program or under another verb.
  ///
  /// That it is known to have the program above it keeps the parser from looking for a request of a script of completions
  /// where it reads the verb alone, which takes as long as reading the verb does.
  static func verb(
    _ name: String, abstract: String, usage: String? = nil, discussion: String = "",
    subcommands: [any ParsableCommand.Type] = [], defaultSubcommand: (any ParsableCommand.Type)? = nil
  ) -> CommandConfiguration {
    CommandConfiguration(
      commandName: name, _superCommandName: Cellvec.name, abstract: abstract, usage: usage,
      discussion: discussion, subcommands: subcommands, defaultSubcommand: defaultSubcommand)
  }
}
