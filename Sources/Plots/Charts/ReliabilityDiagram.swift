/// How often what is given a probability is true, beside how often such a probability is given.
package struct ReliabilityDiagram: Sendable {
  package struct Bin: Sendable {
    /// Mean of the probabilities.
    package let meanProbability: Double
    /// Share that is true.
    package let trueShare: Double
    package let count: Int

    package init(meanProbability: Double, trueShare: Double, count: Int) {
      self.meanProbability = meanProbability
      self.trueShare = trueShare
      self.count = count
    }
  }

  /// Bins of equal width from 0 to 1; nil for empty ones.
  package let bins: [Bin?]
  package let note: String

  package init(bins: [Bin?], note: String) {
    self.bins = bins
    self.note = note
  }

  package func figure(id: String, title: String, alternative: String) -> Figure {
    var drawing = Drawing()
    let frame = Rect(x: 66, y: 32, width: 330, height: 330)
    let axes = Axes(
      x: Scale(.linear, 0...1, from: frame.x, to: frame.right),
      y: Scale(.linear, 0...1, from: frame.bottom, to: frame.y), yTitle: "share that is true",
      showsXLabels: false)
    axes.draw(on: &drawing)
    drawing.line(axes.point(0, 0), axes.point(1, 1), Stroke(.muted, width: 1.2, dash: "5 4"))
    let present = bins.compactMap { $0 }
    for bin in present {
      // The gap to the diagonal is what is wrong with the probabilities.
      drawing.line(
        axes.point(bin.meanProbability, bin.trueShare), axes.point(bin.meanProbability, bin.meanProbability),
        Stroke(Palette.series(1), width: 5, opacity: 0.35))
    }
    drawing.polyline(
      present.map { axes.point($0.meanProbability, $0.trueShare) }, Stroke(Palette.series(0), width: 2))
    for bin in present {
      drawing.circle(
        axes.point(bin.meanProbability, bin.trueShare), radius: 4.4, fill: Palette.series(0),
        stroke: Stroke(.paper, width: 1.2),
        tip: "probability \(decimal(bin.meanProbability, places: 3)): "
          + "true \(decimal(bin.trueShare, places: 3)) of \(grouped(bin.count))")
    }
    drawing.text(note, at: Point(frame.x, frame.y - 13), TextStyle(12, .ink, isBold: true))
    drawCounts(axes, below: frame, on: &drawing)
    return Figure(id: id, title: title, alternative: alternative, width: 416, height: 496, drawing)
  }

  /// Counts differ by orders of magnitude, so their axis is logarithmic.
  private func drawCounts(_ axes: Axes, below frame: Rect, on drawing: inout Drawing) {
    let area = Rect(x: frame.x, y: frame.bottom + 12, width: frame.width, height: 72)
    let most = Double(max(bins.compactMap { $0?.count }.max() ?? 1, 10))
    let y = Scale(.logarithmic, 1...most, from: area.bottom, to: area.y)
    for (index, bin) in bins.enumerated() {
      guard let bin else { continue }
      let width = area.width / Double(bins.count)
      let top = min(y.position(Double(bin.count)), area.bottom - 2)
      drawing.rect(
        Rect(x: area.x + Double(index) * width + 1, y: top, width: width - 2, height: area.bottom - top),
        fill: .faint, tip: grouped(bin.count))
    }
    for tick in [1, most] {
      drawing.text(
        grouped(Int(tick)), at: Point(area.x - 6, y.position(tick) + 4), TextStyle(10, .muted, anchor: .end))
    }
    drawing.line(Point(area.x, area.bottom), Point(area.right, area.bottom), Stroke(.axis))
    for tick in axes.x.ticks(5) {
      drawing.text(
        tick.label, at: Point(axes.x.position(tick.value), area.bottom + 16),
        TextStyle(11, .muted, anchor: .middle))
    }
    drawing.text(
      "predicted probability (bars: how many, logarithmic)", at: Point(area.centerX, area.bottom + 36),
      TextStyle(12, .ink, anchor: .middle))
  }
}
