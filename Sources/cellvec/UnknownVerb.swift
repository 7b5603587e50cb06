import ArgumentParser
import Faults

/// What is wrong with a command line that the parser refused where a word stands for no verb; nil where all do. The parser
/// itself names the first option behind it.
func unknownVerb(in arguments: some Sequence<String>) -> Fault? {
  var verbs = Cellvec.configuration.subcommands
  for word in arguments {
    if verbs.isEmpty || word.hasPrefix("-") || word == "help" { return nil }
    let names = verbs.compactMap { $0.configuration.commandName }
    guard let place = names.firstIndex(of: word) else {
      return .unknownName(.usage, "verb", word, among: names)
    }
    verbs = verbs[place].configuration.subcommands
  }
  return nil
}
