import ArgumentParser
import Testing

@testable import cellvec

/// The command of a line is the one that the root of all verbs finds, whoever reads it.
@Suite struct CommandOfALineTests {
  @Test(
    arguments: HelpTests.sound + [
      ["count", "--runs", "2", "--explain", "--where", "a = 1", "--csv"], ["index"],
    ])
  func aLineIsReadAsByTheRoot(arguments: [String]) throws {
    let (command, ofRoot) = (try Cellvec.command(of: arguments), try Cellvec.parseAsRoot(arguments))
    #expect(text(of: command) == text(of: ofRoot))
  }

  /// What is asked for in place of a command: help, versions and scripts.
  private static let requests = [
    [], ["--help"], ["--version"], ["help"], ["help", "search"], ["help", "index", "build"],
    ["-h", "search"],
    ["search", "--help"], ["search", "--help-hidden"], ["search", "--cell", "1", "-h"],
    ["search", "--version"],
    ["index", "--help"], ["index", "build", "--help"], ["index", "help"], ["models", "help", "add"],
    ["--generate-completion-script", "bash"], ["search", "--generate-completion-script", "zsh"],
    ["search", "--cell", "1", "--generate-completion-script=fish"],
  ]
  private static let mistakes = [
    ["serch"], ["search", "search", "--cell", "1"], ["index", "bild"], ["--json", "list"],
    ["list", "--limitt", "3"],
    ["heads", "--db"], ["show", "1", "2"],
  ]

  @Test(arguments: HelpTests.senseless + requests + mistakes)
  func whatElseIsToldIsToldAsByTheRoot(arguments: [String]) {
    #expect(told(by: Cellvec.command, arguments) == told(by: Cellvec.parseAsRoot, arguments))
  }

  private func text(of command: any ParsableCommand) -> String {
    var text = ""
    dump(command, to: &text)
    return text
  }

  /// What a command line leads to: the message of an error, or of running a command that only tells something.
  private func told(
    by command: ([String]) throws -> any ParsableCommand, _ arguments: [String]
  ) -> String {
    do {
      var command = try command(arguments)
      // The parser's own command, which tells by running.
      guard "\(type(of: command))" == "HelpCommand" else { return text(of: command) }
      try command.run()
      return "ran"
    } catch {
      return "\(Cellvec.exitCode(for: error)) \(Cellvec.fullMessage(for: error, columns: 80))"
    }
  }
}
