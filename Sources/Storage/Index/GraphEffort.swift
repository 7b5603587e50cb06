import Glibc

/// How many vertices searches of a graph visited when a recall was measured.
package struct GraphEffort: Sendable, Equatable, Encodable {
  /// Of queries like the vectors, on average.
  package struct Visits: Sendable, Equatable, Encodable {
    package let neighbors: Int
    package let visits: Float

    package init(neighbors: Int, visits: Float) {
      self.neighbors = neighbors
      self.visits = visits
    }
  }

  /// By ascending numbers of neighbors; not empty.
  package let visits: [Visits]
  /// Of random directions, with the far reach; nil where there is none.
  package let farVisits: Float?

  package init(visits: [Visits], farVisits: Float?) {
    precondition(!visits.isEmpty)
    self.visits = visits
    self.farVisits = farVisits
  }

  var isSound: Bool {
    !visits.isEmpty && visits.allSatisfy { $0.neighbors > 0 && $0.visits > 0 && $0.visits.isFinite }
      && (0..<Float.infinity).contains(farVisits ?? 0)
  }

  /// Vertices that a search for so many neighbors visits.
  package func visits(neighbors: Double) -> Double {
    interpolated(visits.map { (Double($0.neighbors), Double($0.visits)) }, at: neighbors)
  }
}

/// What the first visits of a search tell of how long it will be.
package struct GraphStarts: Sendable, Equatable, Encodable {
  /// Queries of all kinds, from those like the vectors to random directions, whose first visits came about as near.
  package struct Start: Sendable, Equatable, Encodable {
    /// 1 less the similarity of the nearest vertex of the first visits, at most.
    package let distance: Float
    /// Vertices that a search for ten neighbors visited, on average.
    package let visits: Float
    /// The share of the searches that did not find what queries like the vectors do.
    package let unusual: Float

    package init(distance: Float, visits: Float, unusual: Float) {
      self.distance = distance
      self.visits = visits
      self.unusual = unusual
    }
  }

  /// How many visits are the first ones.
  package let firstVisits: Int
  /// Of the calibration for which it was measured.
  package let recall: Double
  /// By ascending distance.
  package let starts: [Start]

  package init(firstVisits: Int, recall: Double, starts: [Start]) {
    self.firstVisits = firstVisits
    self.recall = recall
    self.starts = starts
  }

  var isSound: Bool {
    firstVisits > 0
      && starts.allSatisfy {
        $0.distance.isFinite && $0.visits >= 0 && $0.visits.isFinite
          && $0.unusual >= 0 && $0.unusual.isFinite
      }
  }
}

/// The value at a place between others, by the logarithms of both; beyond the last in proportion to the place.
/// - Parameter points: by ascending place, above 0; not empty.
func interpolated(_ points: [(place: Double, value: Double)], at place: Double) -> Double {
  let last = points[points.count - 1]
  guard let next = points.firstIndex(where: { $0.place >= place }) else {
    return last.value * place / last.place
  }
  guard next > 0 else { return points[0].value }
  let (less, more) = (points[next - 1], points[next])
  let share = log(place / less.place) / log(more.place / less.place)
  return less.value * pow(more.value / less.value, share)
}
