import Plots
import Training

extension PrintedReport {
  /// Vectors in the plane in which they spread most; nil without vectors.
  static func map(_ vectors: SampleVectorTable?, of view: RunView) -> PageSection? {
    guard let vectors, vectors.samples.count >= 3 else { return nil }
    let components = PrincipalComponents(vectors.values, dimension: vectors.dimension)
    // Colours reach for six classes; the rest, and samples of several classes, are gray.
    let frequent = view.order.prefix(6)
    var points: [Int: [Point]] = [:]
    var others: [Point] = []
    for (sample, place) in zip(vectors.samples, components.points) {
      let labels = view.evaluation.samples.labels(of: sample)
      let point = Point(place.0, place.1)
      if labels.count == 1, frequent.contains(labels[0]) {
        points[labels[0], default: []].append(point)
      } else {
        others.append(point)
      }
    }
    let groups = frequent.map { Scatter.Group(name: view.classes[$0], points: points[$0] ?? []) }
    let rest = others.isEmpty ? nil : Scatter.Group(name: "other classes, or several", points: others)
    func percent(_ share: Double) -> String { "\(decimal(share * 100, places: 1)) %" }
    let figure = Scatter(
      groups: groups, rest: rest, xTitle: "first component (\(percent(components.shares.0)) of the variance)",
      yTitle: "second component (\(percent(components.shares.1)))"
    ).figure(
      id: "map", title: "Vectors by their principal components",
      alternative: "Points of \(vectors.samples.count) samples, coloured by class.")
    return PageSection(
      id: "map", heading: "Vectors",
      items: [
        .figure(
          figure,
          caption:
            "\(grouped(vectors.samples.count)) of \(grouped(view.tested.count)) \(view.unit) of the space "
            + "\(view.run.name). Most of the variance lies outside this plane: classes that overlap here may be apart."
        )
      ])
  }
}

/// The vectors of some samples of an evaluation.
struct SampleVectorTable: Sendable {
  /// Positions in the evaluation.
  let samples: [Int]
  let dimension: Int
  /// - Shape: [samples.count, dimension], row-major.
  let values: [Float]
}
