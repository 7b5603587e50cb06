import ArgumentParser
import Faults

/// What is wrong with a command line where a word stands for no verb; nil where all do, as far as they are verbs. The parser
/// itself names the first option behind it, and takes what follows "help" for whatever it is most like.
func unknownVerb(in arguments: some Sequence<String>) -> Fault? {
  var verbs = Cellvec.configuration.subcommands
  for (place, word) in arguments.enumerated() {
    if place == 0, word == "help" { continue }
    if verbs.isEmpty || word.hasPrefix("-") { return nil }
    let names = verbs.compactMap { $0.configuration.commandName }
    guard let index = names.firstIndex(of: word) else {
      return .unknownName(.usage, "verb", word, among: names)
    }
    verbs = verbs[index].configuration.subcommands
  }
  return nil
}

/// A command line that asks for help on a verb's verbs as on all: "models help add" as "help models add", which the parser
/// knows.
func puttingHelpFirst(_ arguments: [String]) -> [String] {
  guard arguments.count > 1, arguments[1] == "help",
    let verb = Cellvec.configuration.subcommands.first(where: {
      $0.configuration.commandName == arguments[0]
    }),
    !verb.configuration.subcommands.isEmpty
  else { return arguments }
  return ["help", arguments[0]] + arguments.dropFirst(2)
}
