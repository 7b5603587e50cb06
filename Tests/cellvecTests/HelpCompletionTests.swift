import ArgumentParser
import Faults
import Testing

@testable import cellvec

/// Scripts of completions that know the verbs behind "help" (Tests/cli/15-completions.sh runs them).
@Suite struct HelpCompletionTests {
  private static let shells = [CompletionShell.bash, .zsh, .fish]

  @Test(arguments: shells.indices) func helpIsFollowedByVerbsAndTheirVerbs(shell: Int) {
    let script = Cellvec.completionScript(for: Self.shells[shell])
    let completed = completingHelp(in: script)
    for verbs in ["ingest import export", "list rename drop"] {
      #expect(completed.ranges(of: verbs).count > script.ranges(of: verbs).count)
    }
    // The parser's lines follow in their order, but for one that others take the place of.
    var rest = completed.split(separator: "\n")[...]
    let lost = script.split(separator: "\n").filter { line in
      guard let place = rest.firstIndex(of: line) else { return true }
      rest = rest[(place + 1)...]
      return false
    }
    let replaced: [Substring] = Self.shells[shell] == .zsh ? ["        '*:subcommands:'"] : []
    #expect(lost == replaced)
  }

  @Test func otherTextsStayAsTheyAre() {
    for text in ["", "OVERVIEW: x\n\nUSAGE: cellvec", "_cellvec_help() {\n}"] {
      #expect(completingHelp(in: text) == text)
    }
  }

  @Test(arguments: [
    (["models", "help", "add"], ["help", "models", "add"]), (["heads", "help"], ["help", "heads"]),
    (["search", "help"], ["search", "help"]), (["help", "models"], ["help", "models"]), (["help"], ["help"]),
    (["serch", "help"], ["serch", "help"]), ([], []),
  ])
  func helpMayStandBehindAVerbOfVerbs(given: [String], arranged: [String]) {
    #expect(puttingHelpFirst(given) == arranged)
  }

  @Test func helpOnWhatIsNoVerbIsAMistake() {
    #expect(
      unknownVerb(in: ["help", "serach"])?.description.hasPrefix(
        "verb \"serach\": does not exist; did you mean \"search\"? verbs: ") == true)
    #expect(unknownVerb(in: ["help", "models", "ad"])?.remedy.hasPrefix("did you mean \"add\"?") == true)
    for line in [["help"], ["help", "search"], ["help", "models", "add"], ["help", "--version"]] {
      #expect(unknownVerb(in: line) == nil)
    }
  }
}
