import ArgumentParser
import Faults
import Testing

@testable import cellvec

/// What is said of options that a verb does not have, and of those that are given twice.
@Suite struct OptionMistakeTests {
  /// A misspelt option is why another is missing: it is what is told, and the option that was meant.
  @Test(arguments: [
    (
      ["train", "--lables", "l", "--db", "d"],
      "option \"--lables\": does not exist; did you mean \"--labels\"? cellvec train --help-hidden has all options"
    ),
    (
      ["list", "--limitt=3"],
      "option \"--limitt\": does not exist; did you mean \"--limit\"? cellvec list --help has all options"
    ),
    (
      ["list", "-limit", "3"],
      "option \"-limit\": does not exist; did you mean \"--limit\"? cellvec list --help has all options"
    ),
    (
      ["heads", "--jsn"],
      "option \"--jsn\": does not exist; did you mean \"--json\"? cellvec heads list --help has all options"
    ),
    (
      ["index", "build", "--quite"],
      "option \"--quite\": does not exist; did you mean \"--quiet\"? cellvec index build --help has all options"
    ),
    (["show", "1", "--xyzxyz"], "option \"--xyzxyz\": does not exist; cellvec show --help has all options"),
    // Each verb has "--help", and every letter is near to "-h".
    (["show", "--cell", "3"], "option \"--cell\": does not exist; cellvec show --help has all options"),
    (["list", "-x"], "option \"-x\": does not exist; cellvec list --help has all options"),
    (
      ["show", "1", "--hlep"],
      "option \"--hlep\": does not exist; did you mean \"--help\"? cellvec show --help has all options"
    ),
    // A value that begins with a dash.
    (
      ["list", "--where", "-x"],
      "option \"-x\": does not exist; as the value of --where, write --where=-x; cellvec list --help has all options"
    ),
    (
      ["list", "--where", "-x > 3"],
      "option \"-x > 3\": does not exist; as the value of --where, write --where='-x > 3'; cellvec list --help has all "
        + "options"
    ),
    (
      ["list", "--where", "--limitt", "3"],
      "option \"--limitt\": does not exist; did you mean \"--limit\"? cellvec list --help has all options"
    ),
    // A hidden one is known, too.
    (
      ["search", "--trough-index"],
      "option \"--trough-index\": does not exist; did you mean \"--through-index\"? cellvec search --help-hidden has all "
        + "options"
    ),
  ])
  func aMisspeltOptionIsNamed(line: [String], told: String) {
    #expect(throws: (any Error).self) { try Cellvec.command(of: line) }
    #expect(unknownOption(in: line)?.description == told)
  }

  @Test(
    arguments: HelpTests.sound + HelpTests.senseless + [
      ["show", "-7"], ["show", "--", "--cell"], ["import", "-"], ["search", "-k3"], ["list", "-h"],
      ["delete", "-yq"], ["search", "--cell=1", "--version"], ["train", "--help-hidden"],
      ["serch", "--cell"],
      ["--json", "list"], [],
    ])
  func otherMistakesAreToldByTheParser(line: [String]) {
    #expect(unknownOption(in: line) == nil)
  }

  @Test(arguments: [
    (["list", "--limit", "1", "--limit=2"], "--limit"), (["search", "-k", "1", "--limit", "2"], "--limit"),
    (["search", "--limit", "1", "-k2"], "-k"), (["knn", "-k", "1", "-k=3"], "-k"),
    (["search", "--where", "a = 1", "--cell", "1", "--where", "b = 2"], "--where"),
    (["report", "e", "-o", "a", "--output", "b"], "--output"),
    (["index", "build", "--kind", "int8", "--kind", "graph"], "--kind"),
    (["index", "--db", "a", "--db", "b"], "--db"),
  ])
  func anOptionOfOneValueIsGivenOnce(line: [String], name: String) {
    #expect(
      throws: Fault(
        .usage, name, "is given more than once, and takes one value", remedy: "give the one that is meant")
    ) { try requireOptionsOnce(in: line) }
  }

  @Test(
    arguments: HelpTests.sound + [
      ["update", "--set", "a=1", "--set", "b=2", "--where", "c = 1"], ["list", "-q", "--quiet"],
      ["merge", "a", "b", "--db", "c"], ["search", "--cell", "1", "--exact", "--exact"],
      ["count", "--where", "a = :b", "--param", "b=1", "--param", "b=2"],
      ["show", "1", "--", "--space", "--space"],
    ])
  func othersMayComeSeveralTimes(line: [String]) {
    #expect(throws: Never.self) { try requireOptionsOnce(in: line) }
  }

  /// Who adds an option with a short name finds it here.
  @Test func everyShortNameOfAnOptionIsKnown() {
    var found: [String: Set<String>] = [:]
    var verbs: [any ParsableCommand.Type] = [Cellvec.self]
    while let verb = verbs.popLast() {
      verbs += verb.configuration.subcommands
      for option in VerbOption.all(of: verb) where option.takesValue && !option.isRepeating {
        for short in option.names where !short.hasPrefix("--") {
          found[short, default: []].formUnion(option.names.filter { $0.hasPrefix("--") })
        }
      }
    }
    #expect(found == shortNames.mapValues { Set($0) })
  }

  @Test func aValueMayFollowAShortNameAtOnce() throws {
    for line in [["-k3"], ["-k", "3"], ["-k=3"], ["--limit", "3"]] {
      let search = try #require(try Cellvec.command(of: ["search", "--cell", "1"] + line) as? Search)
      #expect(search.results.count.value == 3)
    }
  }
}
