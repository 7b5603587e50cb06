import Plots
import Testing

@Suite struct ChartTests {
  private static func share(_ index: Int, _ stride: Int = 7) -> Double { Double(index * stride % 101) / 100 }

  @Test(arguments: Names.cases.indices) func classBarsFitAnyNames(index: Int) {
    let names = Names.cases[index]
    let rows = names.enumerated().map { place, name in
      ClassBars.Row(
        name: name, f1: Self.share(place), precision: Self.share(place, 11), recall: Self.share(place, 13),
        support: place * place * 37)
    }
    let figure = ClassBars(rows: rows, unit: "cells").figure(
      id: "classes", title: "Classes", alternative: "a")
    expectSound(figure)
    // A bar for F1 and one for the support of each class; paper, and the swatch of the legend.
    #expect(DrawnFigure(figure)?.counts["rect"] == 2 * names.count + 2)
  }

  @Test func undefinedScoresAreNotDrawn() throws {
    let rows = [
      ClassBars.Row(name: "never predicted", f1: 0, precision: nil, recall: 0, support: 3),
      ClassBars.Row(name: "absent", f1: nil, precision: 0, recall: nil, support: 0),
    ]
    let figure = ClassBars(rows: rows, unit: "cells").figure(
      id: "classes", title: "Classes", alternative: "a")
    expectSound(figure)
    // Of each class two marks of the legend and one of its own; of F1 only the first class has a bar.
    let counts = try #require(DrawnFigure(figure)).counts
    #expect(counts["rect"] == 1 + 2 + 2 && counts["circle"] == 2 + 2)
  }

  @Test(arguments: Names.cases.indices) func curvesFitAnyNames(index: Int) {
    let names = Names.cases[index]
    let curves = names.enumerated().map { place, name in
      CurveGrid.Curve(
        name: name, note: "AP 0.50 · \(place) cells",
        points: place == 1 ? [] : [Point(0, 1), Point(Self.share(place), 0.8), Point(1, 0)],
        chance: (0.1, 0.1),
        mark: place == 1 ? nil : Point(0.5, 0.5))
    }
    let figure = CurveGrid(curves: curves, xTitle: "recall", yTitle: "precision").figure(
      id: "curves", title: "Curves", alternative: "a")
    expectSound(figure)
    let shown = names.count - (names.count > 1 ? 1 : 0)
    #expect(DrawnFigure(figure)?.counts["circle"] ?? 0 == shown)
    #expect(DrawnFigure(figure)?.counts["use"] ?? 0 == (names.count > 1 ? names.count : 0))
  }

  @Test(arguments: Names.cases.indices.dropLast()) func heatmapsFitAnyNames(index: Int) {
    let names = Names.cases[index]
    let values = names.indices.map { row in
      (0...names.count).map { column -> Double? in row == 1 ? nil : Self.share(row * names.count + column) }
    }
    let figure = Heatmap(
      rows: names, columns: names + ["none"], values: values, rowTitle: "labelled", columnTitle: "predicted",
      scaleTitle: "part of the cells", separatedColumn: names.count
    ).figure(id: "heat", title: "Heat", alternative: "a")
    expectSound(figure)
    #expect(DrawnFigure(figure)?.counts["rect"] == names.count * (names.count + 1) + 51)
  }

  @Test(arguments: [(1, 1), (3, 2), (5, 4), (14, 4), (30, 1)]) func barsHaveErrorsAndPoints(
    groups: Int, series: Int
  ) {
    let bars = (0..<groups).map { group in
      (0..<series).map { index -> GroupedBars.Bar? in
        let mean = Self.share(group * series + index + 1)
        return group == 1 && index == 1
          ? nil
          : GroupedBars.Bar(mean: mean, error: 0.05, values: [max(0, mean - 0.04), min(1, mean + 0.04)])
      }
    }
    let count = bars.joined().compactMap { $0 }.count
    let figure = GroupedBars(
      groups: (0..<groups).map { "backbone \($0) of a long name (ViT-B/16)" },
      series: (0..<series).map { "strategy \($0)" }, bars: bars, yTitle: "macro F1"
    ).figure(id: "bars", title: "Bars", alternative: "a")
    expectSound(figure)
    let drawn = DrawnFigure(figure)
    #expect(drawn?.counts["rect"] == count + 1 + (series > 1 ? series : 0))
    #expect(drawn?.counts["circle"] == 2 * count)
  }

  @Test func barsOfPerfectScoresAndNone() {
    for (mean, error) in [(0.0, 0.0), (1, 0), (0.9, 0.4), (1e300, 1e305), (-3, 0)] {
      let bars = [[GroupedBars.Bar?.some(.init(mean: mean, error: error, values: [mean]))]]
      expectSound(
        GroupedBars(groups: [Names.hostile], series: ["macro F1"], bars: bars, yTitle: "macro F1")
          .figure(id: "bars", title: Names.hostile, alternative: Names.hostile))
    }
    expectSound(
      GroupedBars(groups: [], series: [], bars: [], yTitle: "macro F1").figure(
        id: "bars", title: "None", alternative: "a"))
  }

  @Test(arguments: [0, 1, 2, 30]) func linesOfAnyLength(count: Int) {
    let points = (0..<count).map { Point(Double($0 + 1), Self.share($0)) }
    let lines = [
      LinePanels.Line(name: "fold", points: points, isThin: true),
      LinePanels.Line(name: "mean", points: points, errors: points.map { _ in 0.1 }, color: 1),
      LinePanels.Line(name: Names.hostile, points: points, color: 9),
    ]
    for isLogarithmic in [false, true] {
      let panel = LinePanels.Panel(
        title: "Loss", xTitle: "epoch", yTitle: "loss", isLogarithmic: isLogarithmic && count > 0,
        lines: lines, hasMarkers: true)
      expectSound(
        LinePanels(panels: [panel, panel]).figure(id: "lines", title: "Lines", alternative: "a"))
      expectSound(LinePanels(panels: [panel]).figure(id: "lines", title: "Lines", alternative: "a"))
    }
  }

  @Test func reliabilityOfSomeBinsAndOfNone() {
    let bin = ReliabilityDiagram.Bin(meanProbability: 0.55, trueShare: 0.5, count: 123_456)
    for bins in [[nil, bin, nil], [nil, nil], [bin]] {
      let figure = ReliabilityDiagram(bins: bins, note: "ECE 0.05").figure(
        id: "reliability", title: "Reliability", alternative: "a")
      expectSound(figure)
      #expect(DrawnFigure(figure)?.counts["circle"] ?? 0 == bins.compactMap { $0 }.count)
    }
  }

  @Test func scattersOfPointsOfOnePlaceAndOfNone() {
    let groups = Names.organelles.prefix(6).map {
      Scatter.Group(name: $0, points: [Point(1, 1), Point(1, 1)])
    }
    let rest = Scatter.Group(name: "others", points: [Point(1, 1)])
    let figure = Scatter(groups: groups, rest: rest, xTitle: "first", yTitle: "second").figure(
      id: "map", title: "Map", alternative: "a")
    expectSound(figure)
    #expect(DrawnFigure(figure)?.counts["circle"] == 13 + 7)
    expectSound(
      Scatter(groups: [], xTitle: "first", yTitle: "second").figure(id: "map", title: "Map", alternative: "a")
    )
  }

  @Test(arguments: [0, 1, 7, 18]) func montagesWithAndWithoutPictures(count: Int) {
    let tiles = (0..<count).map { index in
      Montage.Tile(
        image: index % 2 == 0 ? "data:image/png;base64,AAAA" : nil,
        lines: [Names.hostile, "true: nucleoplasm, cytosol, vesicles and many more", "cell 3"],
        alternative: "a cell")
    }
    let colors = [
      (name: "protein", paint: Palette.series(0)), (name: Names.hostile, paint: Palette.series(1)),
    ]
    let figure = Montage(tiles: tiles, colors: colors).figure(id: "tiles", title: "Tiles", alternative: "a")
    expectSound(figure)
    #expect(DrawnFigure(figure)?.counts["image"] ?? 0 == (count + 1) / 2)
  }

  @Test(arguments: [0, 1, 10]) func panelsOfAnyNumberOfClasses(classes: Int) {
    let verdicts: [SamplePanels.Verdict] = [.hit, .missed, .wrong, .neither]
    let rows = (0..<3).map { row in
      SamplePanels.Row(
        title: Names.hostile, subtitle: "a path that does not end/\(Names.hostile)",
        images: [nil, "data:image/png;base64,AAAA", nil],
        classes: (0..<classes).map {
          .init(
            name: "\(Names.hostile) \($0)", probability: Self.share($0), threshold: 0.5,
            verdict: verdicts[($0 + row) % 4])
        }, labels: Names.organelles.joined(separator: ", "), predictions: "–")
    }
    let figure = SamplePanels(
      columns: [("all channels", nil), ("protein", Palette.series(0)), (Names.hostile, Palette.series(1))],
      rows: rows
    ).figure(id: "samples", title: "Samples", alternative: "a")
    expectSound(figure)
    #expect(DrawnFigure(figure)?.counts["image"] == 3)
    let plain = rows.map { row in
      SamplePanels.Row(
        title: row.title, subtitle: row.subtitle, images: [], classes: row.classes, labels: row.labels,
        predictions: row.predictions)
    }
    expectSound(
      SamplePanels(columns: [], rows: plain).figure(id: "samples", title: "Samples", alternative: "a"))
  }
}
