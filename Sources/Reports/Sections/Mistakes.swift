import Plots
import Training

extension PrintedReport {
  /// Wrong decisions of which the head is surest.
  /// - Parameters:
  ///   - total: samples with a wrong decision.
  ///   - questioned: those of them that are listed among the labels to look at again, and not here.
  static func mistakes(
    _ mistakes: [Contradiction], total: Int, questioned: Int, of view: RunView, _ pictures: CellPictures?
  ) -> PageSection {
    let others =
      questioned > 0
      ? "\(grouped(questioned)) of these are left out here, as their labels are questioned below. " : ""
    return contradictions(
      mistakes, of: view, pictures, id: "mistakes", heading: "Most confident mistakes",
      none: total == 0
        ? "No decision about any sample is wrong."
        : "All \(grouped(total)) samples with a wrong decision are among the labels to look at again.",
      caption: (view.task == .single
        ? "Samples whose predicted class is wrong, those of the highest probability first, of \(grouped(total)) such. "
        : "Samples with a wrong decision whose probability lies farthest beyond its threshold, of \(grouped(total)) with one. ")
        + "\(others)\(view.choiceOfCell)\(pictureWords(pictures)) Space \(view.run.name)."
    ) { $0.isLabelled ? "misses \(view.classes[$0.classIndex])" : "says \(view.classes[$0.classIndex])" }
  }

  /// Labels that are worth a second look.
  static func labelNoise(_ found: [Contradiction], total: Int, of view: RunView, _ pictures: CellPictures?)
    -> PageSection
  {
    contradictions(
      found, of: view, pictures, id: "label-noise", heading: "Labels to look at again",
      none: "No label is contradicted more than heads usually do.",
      caption:
        "Samples whose label a head that had not seen them contradicts as surely as it usually says the opposite, surest "
        + "first (confident learning\(view.task == .single ? "" : ", class by class")): \(grouped(total)) of \(grouped(view.tested.count)) \(view.unit). Each is a "
        + "question, not a verdict: rare appearances of a class are among them. \(view.choiceOfCell)\(pictureWords(pictures)) "
        + "Space \(view.run.name)."
    ) { item in
      let name = view.classes[item.classIndex]
      if view.task == .single { return "\(name) rather than \(view.trueNames(item.sample))?" }
      return item.isLabelled ? "not \(name)?" : "also \(name)?"
    }
  }

  private static func contradictions(
    _ list: [Contradiction], of view: RunView, _ pictures: CellPictures?, id: String, heading: String,
    none: String,
    caption: String, words: (Contradiction) -> String
  ) -> PageSection {
    guard !list.isEmpty else { return PageSection(id: id, heading: heading, items: [.paragraph(none)]) }
    let table = PageTable(
      heading.lowercased(),
      placeColumns(view) + [
        .text("about"), .number("probability"), .number("threshold"), .text("true"), .text("predicted"),
      ],
      rows: list.map { item in
        place(of: view.shownCell(item.sample), view, pictures) + [
          words(item), decimal(item.probability, places: 3),
          view.task == .single ? "–" : decimal(view.threshold(item.sample, item.classIndex), places: 3),
          view.trueNames(item.sample), view.predictedNames(item.sample),
        ]
      }, isFolded: pictures?.byRow.isEmpty == false)
    guard let pictures, !pictures.byRow.isEmpty else {
      return PageSection(id: id, heading: heading, items: [.paragraph(caption), .table(table)])
    }
    let tiles = list.prefix(montageLimit).map { item -> Montage.Tile in
      let cell = view.shownCell(item.sample)
      let name = view.name(item.sample)
      let place = cell.weight == nil ? view.evaluation.samples[item.sample].image : view.place(of: cell)
      let lines = [
        words(item), "probability \(decimal(item.probability, places: 2))",
        "true: \(view.trueNames(item.sample))",
        "predicted: \(view.predictedNames(item.sample))",
        "\(name) · \(place)",
      ]
      return Montage.Tile(
        image: pictures.byRow[cell.row]?.composite, lines: lines,
        alternative: "\(name): \(lines.prefix(3).joined(separator: ", "))")
    }
    let roles = pictures.byRow.values.first?.roles ?? []
    let figure = Montage(
      tiles: tiles, colors: Array(zip(roles, pictures.colors.paints(of: roles))).map { ($0.0, $0.1) }
    )
    .figure(
      id: id, title: heading,
      alternative: "Pictures of \(tiles.count) samples with what is true and predicted.")
    return PageSection(id: id, heading: heading, items: [.figure(figure, caption: caption), .table(table)])
  }

  static let montageLimit = 18
}
