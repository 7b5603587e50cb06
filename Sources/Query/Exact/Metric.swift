/// How near two vectors are. Vectors are stored as they came, so that each can be asked for of any space.
package enum Metric: String, Sendable, CaseIterable {
  /// The cosine of the angle between them.
  case cosine
  /// Their dot product.
  case dot
  /// Their Euclidean distance.
  case l2

  /// What a search finds of a neighbor: a similarity, a product or a distance.
  package func value(of neighbor: Neighbor) -> Float {
    self == .l2 ? 0 - neighbor.similarity : neighbor.similarity
  }

  /// Below this no vector is.
  package var leastSimilarity: Float { self == .cosine ? -1 : -.greatestFiniteMagnitude }
}
