import Testing

@testable import cellvec

@Suite struct ProgressDisplayTests {
  @Test func aLineTellsShareRateAndTimeLeft() {
    var display = ProgressDisplay(.plain, counting: "images", of: 960)
    _ = display.update(done: 120, note: "3 failed", at: .seconds(30))
    #expect(
      display.line(at: .seconds(30)) == "120/960 images (12%), 4.0 images/s, 3 min 30 s left, 3 failed")
    #expect(
      display.finish(at: .seconds(60)) == "120/960 images (12%), 2.0 images/s, 7 min 00 s left, 3 failed\n")
  }

  @Test func aNoteIsShownWithoutWhatATerminalObeys() {
    var display = ProgressDisplay(.plain, counting: "images", of: nil)
    _ = display.update(done: 0, note: "a\u{1b}[2J\n", at: .zero)
    #expect(display.line(at: .zero) == #"0 images, a\u{1b}[2J\n"#)
  }

  @Test func anUnknownTotalGivesNoShare() {
    var display = ProgressDisplay(.plain, counting: "cells", of: nil)
    _ = display.update(done: 500, at: .seconds(5))
    #expect(display.line(at: .seconds(5)) == "500 cells, 100 cells/s, 5 s so far")
  }

  @Test func nothingDoneIsNoRate() {
    #expect(ProgressDisplay(.plain, counting: "images", of: 0).line(at: .zero) == "0/0 images")
  }

  @Test func plainLinesComeEveryTenSecondsAndAtTheEnd() {
    var display = ProgressDisplay(.plain, counting: "images", of: 100)
    #expect(display.update(done: 1, at: .seconds(9)) == nil)
    #expect(display.update(done: 2, at: .seconds(10)) != nil)
    #expect(display.update(done: 3, at: .seconds(19)) == nil)
    #expect(display.update(done: 4, at: .seconds(20))?.hasSuffix("\n") == true)
    #expect(display.finish(at: .seconds(21)) != nil)
  }

  @Test func aLiveLineIsWrittenOverAndFitsTheTerminal() {
    var display = ProgressDisplay(.live(columns: 10), counting: "images", of: 100)
    #expect(display.update(done: 1, at: .zero) == "\r1/100 ima\u{1B}[K")
    #expect(display.update(done: 2, at: .milliseconds(50)) == nil)
    #expect(display.finish(at: .seconds(1))?.hasSuffix("\u{1B}[K\n") == true)
  }

  @Test func aFailedRunLeavesNoOpenLine() {
    var display = ProgressDisplay(.live(columns: 80), counting: "images", of: 100)
    #expect(display.abandon() == nil)
    _ = display.update(done: 1, at: .zero)
    #expect(display.abandon() == "\n")
    #expect(display.abandon() == nil)
  }

  @Test func aSilentDisplaySaysNothing() {
    var display = ProgressDisplay(.silent, counting: "images", of: 100)
    #expect(display.update(done: 1, at: .seconds(100)) == nil)
    #expect(display.finish(at: .seconds(100)) == nil)
  }

  @Test(arguments: [(0.4, "0 s"), (59.6, "1 min 00 s"), (3599, "59 min 59 s"), (7500, "2 h 05 min")])
  func timesAreSpelledAsOneSaysThem(seconds: Double, text: String) {
    #expect(spelled(seconds: seconds) == text)
  }

  @Test func dumbTerminalsAndPipesShowNoLiveLine() {
    func terminal(isTerminal: Bool, _ variables: [String: String]) -> Terminal {
      Terminal(
        outputIsTerminal: isTerminal, errorIsTerminal: isTerminal, errorWidth: 100,
        environment: { variables[$0] })
    }
    #expect(terminal(isTerminal: true, [:]).progressWidth == 100)
    #expect(terminal(isTerminal: true, [:]).hasStyle)
    #expect(terminal(isTerminal: true, ["TERM": "dumb"]).progressWidth == nil)
    #expect(!terminal(isTerminal: true, ["TERM": "dumb"]).hasStyle)
    #expect(!terminal(isTerminal: true, ["NO_COLOR": "1"]).hasStyle)
    #expect(terminal(isTerminal: false, [:]).progressWidth == nil)
  }
}
