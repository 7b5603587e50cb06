import ArgumentParser
import Faults

/// What is wrong with a command line that the parser refused where a word is no option of its verb; nil where all are. The
/// parser tells first of what is missing, which a misspelt option is the reason of.
func unknownOption(in arguments: [String]) -> Fault? {
  guard let (verb, rest) = Cellvec.verb(of: arguments) else { return nil }
  let options = VerbOption.all(of: verb)
  guard let word = optionWords(in: rest).first(where: { !isKnown($0, among: options) }) else { return nil }
  let name = optionName(of: word)
  let suggestion =
    closestMatch(to: name, among: options.flatMap(\.names)).map { "did you mean \"\($0)\"? " } ?? ""
  let help = options.allSatisfy(\.isShown) ? "--help" : "--help-hidden"
  return Fault(
    .usage, "option \"\(name)\"", "does not exist",
    remedy: "\(suggestion)\(words(of: verb, in: arguments)) \(help) has all options")
}

/// Refuses a command line in which an option of one value has several, the last of which the parser takes without a word.
/// - Parameter arguments: a line that the parser has understood.
/// - Throws: `usage`.
func requireOptionsOnce(in arguments: [String]) throws(Fault) {
  guard let name = repeatedOption(in: arguments) else { return }
  throw Fault(
    .usage, name, "is given more than once, and takes one value", remedy: "give the one that is meant")
}

private func repeatedOption(in arguments: [String]) -> String? {
  // The parser is asked what its options are only where a name comes twice: each start goes through here.
  var seen: [String] = []
  var suspects: [String] = []
  for word in optionWords(in: arguments) {
    let name = word.hasPrefix("--") ? optionName(of: word) : String(word.prefix(2))
    if seen.contains(where: { $0 == name || areTwins($0, name) }) { suspects.append(name) }
    seen.append(name)
  }
  guard !suspects.isEmpty, let (verb, _) = Cellvec.verb(of: arguments) else { return nil }
  let options = VerbOption.all(of: verb)
  return suspects.first { name in
    options.contains { option in
      option.takesValue && !option.isRepeating && option.names.contains(name)
        && seen.count(where: option.names.contains) > 1
    }
  }
}

/// Options of a value that have two names.
let shortNames = ["-k": ["--limit", "--neighbors"], "-o": ["--output"]]

private func areTwins(_ left: String, _ right: String) -> Bool {
  shortNames[left]?.contains(right) ?? shortNames[right]?.contains(left) ?? false
}

/// The words that the parser takes for options: all with a dash in front that end no options and stand for no stream.
private func optionWords(in arguments: [String]) -> [String] {
  arguments.prefix { $0 != "--" }.filter { $0.hasPrefix("-") && $0 != "-" }
}

/// The name in a word such as "--limit=3".
private func optionName(of word: String) -> String { String(word.prefix { $0 != "=" }) }

private func isKnown(_ word: String, among options: [VerbOption]) -> Bool {
  let name = optionName(of: word)
  func option(_ name: String) -> VerbOption? { options.first { $0.names.contains(name) } }
  if option(name) != nil || builtInOptions.contains(name) || isNegativeNumber(word) { return true }
  guard !word.hasPrefix("--"), let first = name.dropFirst().first else { return false }
  // "-k3" has a value, and "-qy" are two flags.
  if let short = option("-\(first)"), short.takesValue { return true }
  return name.dropFirst().allSatisfy { letter in option("-\(letter)").map { !$0.takesValue } ?? false }
}

/// What the parser knows of each verb.
private let builtInOptions = [
  "-h", "--help", "-help", "--help-hidden", "-help-hidden", "--version", "--generate-completion-script",
  "--experimental-dump-help",
]

/// The program and the verb as they are called.
private func words(of verb: any ParsableCommand.Type, in arguments: [String]) -> String {
  let verbs = arguments.prefix { !$0.hasPrefix("-") }
  let name = verb.configuration.commandName ?? ""
  guard let place = verbs.firstIndex(of: name) else { return "\(Cellvec.name) \(arguments[0]) \(name)" }
  return ([Cellvec.name] + verbs[...place]).joined(separator: " ")
}
