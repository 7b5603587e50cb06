import ArgumentParser
import Testing

@testable import cellvec

@Suite struct NegativeNumberTests {
  @Test func aNegativeNumberBelongsToTheOptionBeforeIt() {
    let cases = [
      ["train", "--learning-rate", "-1", "--folds", "2"]: ["train", "--learning-rate=-1", "--folds", "2"],
      ["--weight-decay", "-1e-3,.5", "-k", "-2"]: ["--weight-decay=-1e-3,.5", "-k=-2"],
      ["--seed=1", "-5"]: ["--seed=1", "-5"], ["--limit", "-1", "-2"]: ["--limit=-1", "-2"],
      ["show", "-7"]: ["show", "-7"], ["--set", "-a", "-"]: ["--set", "-a", "-"],
      ["--", "--cell", "-1"]: ["--", "--cell", "-1"], []: [],
    ]
    for (given, joined) in cases { #expect(joiningNegativeNumbers(given) == joined) }
  }

  @Test func numbersOutOfRangeAreTold() {
    for (arguments, problem) in [
      (["list", "--limit", "-1"], "--limit: expected 0 or more, found -1"),
      (["search", "--cell", "0", "-k", "-2"], "-2"),
      (
        ["ingest", "d", "--channels", "a=*", "--commit-every", "-4"],
        "--commit-every: expected at least 1, found -4"
      ),
    ] {
      let error = #expect(throws: (any Error).self) {
        try Cellvec.parseAsRoot(joiningNegativeNumbers(arguments))
      }
      #expect(error.map { Cellvec.message(for: $0) }?.contains(problem) == true)
    }
  }
}
