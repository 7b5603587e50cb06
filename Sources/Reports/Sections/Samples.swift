import Plots
import Training

extension PrintedReport {
  /// Samples with their channels, what is true and what is said of them.
  static func samples(
    _ chosen: [ShownCell], areTypical: Bool, of view: RunView, _ pictures: CellPictures?
  ) -> PageSection? {
    guard !chosen.isEmpty else { return nil }
    let shown = chosen.map { pictures?.byRow[$0.row] }
    let roles = shown.compactMap { $0 }.first?.roles ?? []
    let paints = (pictures?.colors ?? .hpa).paints(of: roles)
    // One channel is its own composite.
    let channels = roles.count > 1 ? Array(zip(roles, paints)) : []
    var columns: [(name: String, paint: Paint?)] = channels.map { (name: $0.0, paint: $0.1) }
    if !roles.isEmpty { columns.insert((roles.count == 1 ? roles[0] : "all channels", nil), at: 0) }
    let rows = zip(chosen, shown).map { cell, picture -> SamplePanels.Row in
      let sample = cell.sample
      let images =
        (roles.isEmpty ? [] : [picture?.composite])
        + channels.map { role, _ in
          picture.flatMap { picture in picture.roles.firstIndex(of: role).map { picture.channels[$0] } }
        }
      return SamplePanels.Row(
        title: view.name(sample), subtitle: view.origin(cell), images: images,
        classes: verdicts(on: sample, view),
        labels: view.trueNames(sample), predictions: view.predictedNames(sample))
    }
    let figure = SamplePanels(columns: columns, rows: rows).figure(
      id: "samples", title: "Labels and predictions of single samples",
      alternative: rows.map { "\($0.title): true \($0.labels), predicted \($0.predictions)." }
        .joined(separator: " "))
    let choice =
      areTypical
      ? "For each of the most frequent classes the sample of median probability."
      : "The samples that were asked for."
    return PageSection(
      id: "samples", heading: "Samples",
      items: [
        .figure(
          figure,
          caption:
            "\(choice) Bars are probabilities by a head that had not seen the sample"
            + (view.task == .multi ? ", the tick across each is the threshold of its class" : "")
            + "; \(view.decisionWords): hit, missed and wrong decisions are green, orange and red-brown. "
            + "\(areTypical ? view.choiceOfCell : "")\(pictureWords(pictures)) Space \(view.run.name)."),
        .table(sampleTable(chosen, view, pictures)),
      ])
  }

  /// What is true, what is predicted, and what comes next in probability: six classes at least where there are as many.
  private static func verdicts(on sample: Int, _ view: RunView) -> [SamplePanels.Class] {
    func matters(_ index: Int) -> Bool { view.isTrue(sample, index) || view.isPredicted(sample, index) }
    let ranked = view.classes.indices.sorted {
      (view.probability(sample, $1), $0) < (view.probability(sample, $0), $1)
    }
    let needed = ranked.filter(matters)
    let others = ranked.filter { !matters($0) }.prefix(max(0, 6 - needed.count))
    return (needed + others).prefix(10).map { index in
      let verdict: SamplePanels.Verdict
      switch (view.isTrue(sample, index), view.isPredicted(sample, index)) {
      case (true, true): verdict = .hit
      case (true, false): verdict = .missed
      case (false, true): verdict = .wrong
      case (false, false): verdict = .neither
      }
      return SamplePanels.Class(
        name: view.classes[index], probability: view.probability(sample, index),
        threshold: view.task == .multi ? view.threshold(sample, index) : nil, verdict: verdict)
    }
  }

  private static func sampleTable(
    _ chosen: [ShownCell], _ view: RunView, _ pictures: CellPictures?
  ) -> PageTable {
    PageTable(
      "samples",
      placeColumns(view) + [.text("true"), .text("predicted"), .text("probabilities")],
      rows: chosen.map { cell in
        let probabilities = verdicts(on: cell.sample, view).map {
          "\($0.name) \(decimal($0.probability, places: 2))"
        }
        return place(of: cell, view, pictures) + [
          view.trueNames(cell.sample), view.predictedNames(cell.sample),
          probabilities.joined(separator: ", "),
        ]
      })
  }

  /// Columns that say which cell is shown of a sample, and from where.
  static func placeColumns(_ view: RunView) -> [PageTable.Column] {
    [.text("sample"), .number("cell")] + (view.hasAttention ? [.number("attention")] : []) + [
      .text("image"), .text("group"),
    ]
  }

  /// The values of these columns.
  static func place(of cell: ShownCell, _ view: RunView, _ pictures: CellPictures?) -> [String] {
    let sample = view.evaluation.samples[cell.sample]
    let image = view.isFirst(cell) ? sample.image : pictures?.imageNames[cell.row] ?? "–"
    let weight = view.hasAttention ? [cell.weight.map { decimal($0, places: 3) } ?? "–"] : []
    return [view.name(cell.sample), "\(cell.row)"] + weight + [image, sample.group ?? "–"]
  }

  /// How pictures were made, or why there are none.
  static func pictureWords(_ pictures: CellPictures?) -> String {
    guard let pictures else { return "Without the database there are no pictures." }
    guard !pictures.byRow.isEmpty else { return "No picture could be cut; the notes say why." }
    let size = pictures.cropSizePx.map { "Squares of \($0) px around the cell" } ?? "Whole images"
    return
      "\(size), background as it is; each channel from the 1st percentile of its image to the 99.9th of the square."
  }
}
