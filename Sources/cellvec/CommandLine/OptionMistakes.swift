import ArgumentParser
import Faults

/// What is wrong with a command line that the parser refused where a word is no option of its verb; nil where all are. The
/// parser tells first of what is missing, which a misspelt option is the reason of.
func unknownOption(in arguments: [String]) -> Fault? {
  guard let (verb, rest) = Cellvec.verb(of: arguments) else { return nil }
  let options = VerbOption.all(of: verb)
  let line = rest.prefix { $0 != "--" }
  guard let place = line.firstIndex(where: { isOptionWord($0) && !isKnown($0, among: options) }) else {
    return nil
  }
  let word = line[place]
  let name = optionName(of: word)
  let nearest = nearestOption(to: name, among: options)
  let front = place > 0 ? line[place - 1] : ""
  let isValue =
    (nearest == nil || !word.hasPrefix("--"))
    && options.contains { $0.takesValue && $0.names.contains(front) }
  let suggestion =
    isValue
    ? "as the value of \(front), write \(front)=\(shellWord(word)); "
    : nearest.map { "did you mean \"\($0)\"? " } ?? ""
  let help = options.allSatisfy(\.isShown) ? "--help" : "--help-hidden"
  return Fault(
    .usage, "option \"\(isValue ? word : name)\"", "does not exist",
    remedy: "\(suggestion)\(words(of: verb, in: arguments)) \(help) has all options")
}

/// The option that was probably meant by a name that is none; nil where none is near. A letter is near to every other, and
/// many a word of four to "--help", which each verb has: both are only meant where the rest agrees.
private func nearestOption(to name: String, among options: [VerbOption]) -> String? {
  let names = options.flatMap(\.names)
  if let same = names.first(where: { $0.lowercased() == name.lowercased() }) { return same }
  if editDistance(name, "--help") == 1 { return "--help" }
  return closestMatch(to: name, among: names.filter { $0.hasPrefix("--") && $0 != "--help" })
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
  arguments.prefix { $0 != "--" }.filter(isOptionWord)
}

private func isOptionWord(_ word: String) -> Bool { word.hasPrefix("-") && word != "-" }

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
