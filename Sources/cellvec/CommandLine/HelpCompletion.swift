import ArgumentParser

/// Whether a command line asks for a script that makes a shell complete command lines.
func asksForCompletions(_ arguments: [String]) -> Bool {
  arguments.contains { $0.hasPrefix("--generate-completion-script") }
}

/// A script of completions that also offers verbs behind "help", where the parser's offers nothing. Another text as it is.
func completingHelp(in script: String) -> String {
  let lines = script.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  guard let start = lines.firstIndex(of: "_\(Cellvec.name)_help() {") else {
    return lines.contains { $0.hasPrefix("complete -c '\(Cellvec.name)'") }
      ? (lines + fishLines).joined(separator: "\n") : script
  }
  // zsh has a list of what may follow, and bash a call behind which completions are added.
  if let specification = lines[start...].firstIndex(of: "        '*:subcommands:'") {
    return replacing(
      specification, of: lines,
      by: ["        '1:verb:(\(joined(verbs)))'", #"        "2:verb:(${verbs[*]})""#], afterStart: start,
      zshLines)
  }
  guard let call = lines[start...].firstIndex(of: "    __\(Cellvec.name)_offer_flags_options -1") else {
    return script
  }
  return (lines[...call] + bashLines + lines[(call + 1)...]).joined(separator: "\n")
}

private func replacing(
  _ place: Int, of lines: [String], by others: [String], afterStart start: Int, _ first: [String]
) -> String {
  (lines[...start] + first + lines[(start + 1)..<place] + others + lines[(place + 1)...])
    .joined(separator: "\n")
}

private var verbs: [any ParsableCommand.Type] { Cellvec.configuration.subcommands }

private func joined(_ verbs: [any ParsableCommand.Type]) -> String {
  verbs.compactMap { $0.configuration.commandName }.joined(separator: " ")
}

/// The verbs that have verbs, by name.
private var families: [(name: String, verbs: String)] {
  verbs.filter { !$0.configuration.subcommands.isEmpty }
    .map { ($0.configuration.commandName ?? "", joined($0.configuration.subcommands)) }
}

private var bashLines: [String] {
  func offer(_ names: String) -> String { "        COMPREPLY+=($(compgen -W '\(names)' -- \"${cur}\"))" }
  return [#"    case "${COMP_WORDS[*]:2:COMP_CWORD-2}" in"#, "    '')", offer(joined(verbs)), "        ;;"]
    + families.flatMap { ["    \($0.name))", offer($0.verbs), "        ;;"] } + ["    esac"]
}

private var zshLines: [String] {
  ["    local -a verbs=()", #"    case "${words[2]}" in"#]
    + families.map { "    \($0.name)) verbs=(\($0.verbs)) ;;" } + ["    esac"]
}

private var fishLines: [String] {
  func offer(_ names: String, at place: Int, _ condition: String = "") -> String {
    "complete -c '\(Cellvec.name)' -n '__\(Cellvec.name)_should_offer_completions_for_positional "
      + "\"\(Cellvec.name) help\" -eq \(place)\(condition)' -fa '\(names)'"
  }
  return [offer(joined(verbs), at: 1)]
    + families.map { offer($0.verbs, at: 2, "; and contains -- \($0.name) (commandline -opc)") }
}
