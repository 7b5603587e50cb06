import ArgumentParser
import Testing

@testable import cellvec

@Suite struct HelpTests {
  static let verbs: [any ParsableCommand.Type] = [
    List.self, Count.self, Show.self, Stats.self, Check.self, Train.self, Evaluate.self, KNN.self,
    Predict.self,
    ReportCommand.self,
    ListHeads.self,
    SeedModel.self, InspectModel.self, ListModels.self, AddModel.self, RemoveModel.self, ListPresets.self,
    ModelCard.self, EmbedArray.self, ShowCache.self, Simulate.self, Delete.self, Update.self, ListFields.self,
    RenameField.self, DropField.self,
    ListSpaces.self, RenameSpace.self, DropSpace.self, Merge.self, Backup.self, Compact.self,
  ]

  @Test(arguments: verbs.indices) func helpFitsOneScreen(verb: Int) {
    let help = Self.verbs[verb].helpMessage(columns: 80)
    #expect(help.split(separator: "\n", omittingEmptySubsequences: false).count <= 45, "\(help)")
  }

  /// The program and its verbs, with those below them.
  private static var all: [any ParsableCommand.Type] {
    var all: [any ParsableCommand.Type] = [Cellvec.self]
    var next = 0
    while next < all.count {
      all += all[next].configuration.subcommands
      next += 1
    }
    return all
  }

  /// The parser breaks lines of text, but none of usage.
  @Test func everyLineFitsEightyColumns() {
    for verb in Self.all {
      let lines = Cellvec.helpMessage(for: verb, includeHidden: true, columns: 80).split(separator: "\n")
      #expect(lines.contains { $0.hasPrefix("USAGE: cellvec") })
      #expect(lines.filter { $0.count > 80 } == [], "\(verb)")
    }
  }

  /// Of a line that is broken already, the parser would put the last word on a line of its own.
  @Test func noLineIsBrokenTwice() {
    for verb in Self.all {
      for paragraph in verb.configuration.discussion.split(separator: "\n\n") {
        let lines = paragraph.split(separator: "\n")
        // One that is a single line is broken by the parser alone.
        #expect(lines.count == 1 || lines.allSatisfy { $0.count < 80 }, "\(verb): \(paragraph)")
      }
    }
  }

  @Test func whatADecisionNeedsIsNotHidden() {
    #expect(Train.helpMessage(columns: 80).contains("\n  --abstain-below <p> "))
    #expect(!Evaluate.helpMessage(columns: 80).contains("--epochs"))
    #expect(Evaluate.helpMessage(includeHidden: true, columns: 80).contains("\n  --epochs <count> "))
  }

  @Test func everyVerbIsOffered() {
    let help = Cellvec.helpMessage(columns: 80)
    for verb in [
      "ingest", "import", "export", "search", "list", "count", "show", "stats", "check", "train", "knn",
      "evaluate", "predict", "report",
      "update", "delete", "fields", "spaces", "merge", "backup", "compact",
    ] {
      #expect(help.contains("\n  \(verb) "))
    }
  }

  /// The name that the parser would make from a type's costs each start of the program a search of all protocol
  /// conformances, for each verb.
  @Test func everyVerbNamesItself() {
    for verb in Self.all { #expect(verb.configuration.commandName != nil, "\(verb)") }
    #expect(Self.all.count > Self.verbs.count)
  }

  static let sound: [[String]] = [
    ["search", "--cell", "1"], ["search", "--mean-of", "a = 'b'", "--by", "a", "-k", "all"],
    ["search", "--cell", "1", "--distinct", "a", "--exclude-same", "b", "--min-similarity", "0.5"],
    ["knn", "--labels", "l", "--group", "g", "-k", "1,20", "--temperature", "0.1"],
    ["list", "--json", "--limit", "3"],
    ["train", "--labels", "l", "--hidden", "5,4"],
    ["show", "7", "--vector", "--space", "s"], ["predict", "--head", "h", "--threshold", "0.2"], ["heads"],
    ["heads", "list", "--csv"], ["models", "inspect", "m"], ["models"],
    ["models", "list", "--json"], ["models", "add", "n", "f", "--preset", "p", "--inputs", "a,b"],
    ["models", "remove", "n"], ["models", "presets", "--csv"], ["models", "cache", "--csv"],
    ["models", "cache", "--clear", "-q"],
    ["models", "card"], ["models", "card", "n"],
    [
      "ingest", "d", "--channels", "a=*", "--preset", "p", "--hpa-nucleus", "2", "--map", "a=0", "--absent",
      "repeat",
    ],
    ["ingest", "d", "--strategy", "replicate", "--combine", "mean", "--normalize-over", "image"],
    ["simulate", "d"], ["stats"], ["check", "-q"], ["delete", "--where", "a = 1", "--images", "-y"],
    ["delete", "--unembedded", "--dry-run"],
    ["update", "--metadata", "t.csv", "--join", "plate,well", "--clear-empty"],
    ["update", "--set", "a=1", "b=2", "--clear", "c", "--where", "a = 1"],
    ["fields"], ["fields", "rename", "a", "b"], ["fields", "drop", "a", "-y"],
    ["spaces"], ["spaces", "rename", "a", "b"], ["spaces", "drop", "a", "--yes"],
    ["export", "--vectors", "v.NPY", "--metadata", "m.tsv"], ["export", "--metadata", "m.tab"],
    ["crops", "d", "--channels", "a=*", "--output", "c.npy", "--table", "t.csv"],
    ["backup", "copy", "--db", "d"], ["compact", "--json"],
    ["merge", "a", "b", "--db", "c", "--prefer-source"],
    ["search", "--image", "nucleus=a", "protein=b", "-k", "3"],
    ["search", "--image", "a", "mask=m", "--object", "7"],
    ["report", "e.json", "--output", "r", "--space", "s", "--cells", "1,2", "--colors", "accessible"],
    [
      "count", "--where", "g = :g", "--param", "g=1", "h=2", "--param", "g=3", "--param-file", "k=f",
      "--explain",
    ],
  ]

  @Test(arguments: sound)
  func commandLinesAreUnderstood(arguments: [String]) throws {
    _ = try Cellvec.parseAsRoot(arguments)
  }

  static let senseless: [[String]] = [
    ["search"], ["search", "--cell", "1", "--vectors", "v"], ["search", "--cell", "1", "-k", "0"],
    ["search", "--vectors", "v", "--include-self"], ["list", "--limit", "-1"], ["list", "--csv", "--tsv"],
    ["train"], ["train", "--labels", "l", "--hidden", "5,x"], ["show", "1", "--space", "s"], ["show"],
    ["train", "--labels", "l", "--group", "g", "--ungrouped"], ["models", "seed", "m", "--heads", "7"],
    ["models", "seed", "m", "--inputs", "a,a"], ["models", "seed", "m", "--image-size", "30"],
    ["ingest", "d", "--strategy", "none"], ["ingest", "d", "--absent", "one"], ["models", "add", "n"],
    ["count", "--explain"], ["count", "--runs", "3"], ["count", "--explain", "--runs", "0"],
    ["delete"], ["merge"],
    ["update"], ["update", "--set", "a=1"],
    ["update", "--metadata", "t", "--set", "a=1", "--where", "a = 1"],
    ["simulate", "d", "--threads", "0"], ["search", "--cell", "1", "--backbone", "b"],
    ["search", "--cell", "1", "--object", "7"],
    ["report", "e.json"], ["report", "e.json", "-o", "r", "--cells", "1,x"],
    ["report", "e.json", "-o", "r", "--colors", "red"],
    ["export", "--vectors", "v"], ["export", "--vectors", "v.csv"], ["export", "--metadata", "m.npy"],
    ["crops", "d", "--channels", "a=*", "--output", "c.png"],
    ["crops", "d", "--channels", "a=*", "--output", "c.npy", "--table", "t.npy"],
  ]

  @Test(arguments: senseless)
  func whatMakesNoSenseIsAnErrorOfUsage(arguments: [String]) {
    let error = #expect(throws: (any Error).self) { try Cellvec.parseAsRoot(arguments) }
    if let error { #expect(Cellvec.exitCode(for: error).rawValue == 64) }
  }
}
