import ArgumentParser
import Testing

@testable import cellvec

@Suite struct NegativeNumberTests {
  @Test(arguments: [
    (["train", "--learning-rate", "-1", "--folds", "2"], ["train", "--learning-rate=-1", "--folds", "2"]),
    (["--weight-decay", "-1e-3,.5", "-k", "-2"], ["--weight-decay=-1e-3,.5", "-k=-2"]),
    (["--min-similarity", "-.5"], ["--min-similarity=-.5"]),
    (["--seed=1", "-5"], ["--seed=1", "-5"]),
    (["--limit", "-1", "-2"], ["--limit=-1", "-2"]),
    (["show", "-7"], ["show", "-7"]),
    (["--set", "-a", "-"], ["--set", "-a", "-"]),
    (["-", "-1"], ["-", "-1"]),
    (["--", "--cell", "-1"], ["--", "--cell", "-1"]),
    ([], []),
  ])
  func aNegativeNumberBelongsToTheOptionBeforeIt(given: [String], joined: [String]) {
    #expect(joiningNegativeNumbers(given) == joined)
  }

  /// The parser reads the number as the option's value: what it says is that of the value, not of a missing one or of an
  /// unknown option "-2".
  @Test(arguments: [
    (["list", "--limit", "-1"], "--limit: expected 0 or more, found -1"),
    (["search", "--cell", "0", "-k", "-2"], "The value '-2' is invalid for '-k <limit>'"),
    (
      ["ingest", "d", "--channels", "a=*", "--commit-every", "-4"],
      "--commit-every: expected at least 1, found -4"
    ),
  ])
  func numbersOutOfRangeAreTold(arguments: [String], problem: String) throws {
    let joined = #expect(throws: (any Error).self) {
      try Cellvec.parseAsRoot(joiningNegativeNumbers(arguments))
    }
    #expect(Cellvec.message(for: try #require(joined)).hasPrefix(problem))
    let separate = #expect(throws: (any Error).self) { try Cellvec.parseAsRoot(arguments) }
    #expect(!Cellvec.message(for: try #require(separate)).hasPrefix(problem))
  }

  @Test func aNegativeNumberThatIsAllowedIsTaken() throws {
    let arguments = ["search", "--cell", "0", "--min-similarity", "-0.5"]
    let search = try #require(try Cellvec.parseAsRoot(joiningNegativeNumbers(arguments)) as? Search)
    #expect(search.results.leastSimilarity == -0.5)
  }
}
