import Plots
import Training

extension PrintedReport {
  /// What it would gain to predict nothing where a head is not sure; nil where samples may have several labels.
  static func abstention(of view: RunView) -> PageSection? {
    guard view.task == .single else { return nil }
    let curve = view.riskCoverage()
    guard let all = curve.points.last else { return nil }
    let limit = view.run.configuration.abstainBelow
    let chosen = limit > 0 ? curve.point(from: Double(limit)) : nil
    var lines = [
      LinePanels.Line(
        name: "the surest \(view.unit)",
        points: thinned(curve.points).map { Point($0.coverage, $0.risk) }, color: 0)
    ]
    if let chosen {
      lines.append(
        LinePanels.Line(
          name: "those from \(decimal(Double(limit), places: 3)) on",
          points: [Point(chosen.coverage, chosen.risk)],
          color: 1))
    }
    let panel = LinePanels.Panel(
      title: "", xTitle: "part of the \(view.unit) about which is decided",
      yTitle: "part of these that is wrong",
      lines: lines)
    let area = decimal(curve.area, places: 3)
    let figure = LinePanels(panels: [panel]).figure(
      id: "abstention", title: "Errors by the part that is decided",
      alternative:
        "A curve of the part that is wrong over the part about which is decided, surest first. All: "
        + "\(decimal(all.risk, places: 3)) wrong. Area under the curve \(area).")
    return PageSection(
      id: "abstention", heading: "Abstention",
      items: [
        .figure(
          figure,
          caption:
            "\(view.unit.prefix(1).uppercased() + view.unit.dropFirst()) in the order of the probability of their likeliest "
            + "class, highest first: of those on the left of a place, how many are wrong. A head whose probabilities say "
            + "when it errs has a curve that rises to the right; one whose do not, a level one. Mean over the curve "
            + "\(area) (AURC)." + (chosen == nil ? "" : " The dot is the limit that was asked for.")
            + " Space \(view.run.name)."), .table(table(curve, limit: limit)),
      ])
  }

  private static func table(_ curve: RiskCoverage, limit: Float) -> PageTable {
    // As float32, as heads have it: the same number as a double would be a second row.
    let limits = Set<Float>([0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99] + (limit > 0 ? [limit] : [])).sorted()
    return PageTable(
      "abstention by the limit",
      [.number("no prediction below"), .number("decided"), .number("accuracy of these")],
      rows: limits.map { limit in
        let point = curve.point(from: Double(limit))
        return [
          decimal(Double(limit), places: 3), "\(decimal((point?.coverage ?? 0) * 100, places: 1)) %",
          point.map { decimal(1 - $0.risk, places: 3) } ?? "–",
        ]
      })
  }

  /// At most some hundred points, the first and the last among them.
  private static func thinned(_ points: [RiskCoverage.Point]) -> [RiskCoverage.Point] {
    let limit = 400
    guard points.count > limit else { return points }
    return (0..<limit).map { points[$0 * (points.count - 1) / (limit - 1)] }
  }
}
