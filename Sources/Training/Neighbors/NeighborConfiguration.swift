import Faults

/// How the nearest neighbors vote, of a head that is made of them.
package struct NeighborConfiguration: Sendable, Equatable, Codable {
  package enum Defaults {
    /// The k and T of DINO's evaluation (Caron et al. 2021, arXiv 2104.14294).
    package static let counts = [20]
    package static let temperature = 0.07
  }

  /// The most neighbors that may vote: so many are kept for each of a batch of samples.
  static let mostNeighbors = 10_000

  /// How many neighbors vote, increasing; of several the one that is best on validation samples.
  package let counts: [Int]
  /// A neighbor of similarity s weighs exp(s / temperature).
  package let temperature: Double

  package init(counts: [Int] = Defaults.counts, temperature: Double = Defaults.temperature) {
    self.counts = Set(counts).sorted()
    self.temperature = temperature
  }

  /// - Throws: `usage` for a value with which nobody can vote.
  func validate() throws {
    guard let least = counts.first, let most = counts.last, least >= 1, most <= Self.mostNeighbors else {
      throw Fault(
        .usage, "neighbors", expected: "numbers from 1 to \(Self.mostNeighbors)", found: "\(counts)")
    }
    guard counts.count <= 256 else {
      throw Fault(.usage, "neighbors", expected: "at most 256 numbers", found: "\(counts.count)")
    }
    guard temperature > 0, temperature.isFinite else {
      throw Fault(.usage, "temperature", expected: "a number above 0", found: "\(temperature)")
    }
  }
}

extension NeighborConfiguration {
  /// Who votes, in words.
  package var explanation: String {
    Self.explanation(
      of: counts.count == 1
        ? "the \(counts[0]) nearest train samples vote"
        : "as many nearest train samples vote as do best on validation samples, of "
          + counts.map(String.init).joined(separator: ", "),
      temperature: temperature)
  }

  fileprivate static func explanation(of votes: String, temperature: Double) -> String {
    "\(votes), each weighing exp(cosine / \(temperature))"
  }
}

extension NeighborSummary {
  /// The same of a head that is kept: "the 20 nearest of 36 voters vote, each weighing exp(cosine / 0.07)".
  package var explanation: String {
    NeighborConfiguration.explanation(
      of: k < voters ? "the \(k) nearest of \(voters) voters vote" : "all \(voters) voters vote",
      temperature: temperature)
  }
}

/// What a number of neighbors came to on validation samples.
package struct NeighborTrial: Sendable, Equatable, Codable {
  package let neighbors: Int
  /// At a threshold of 0.5 or by the likeliest class; nil where no choice was to be made.
  package let validationMacroF1: Double?
  package let isChosen: Bool
}
