import Faults
import Storage

extension DatabasePrediction {
  /// What is predicted for a vector that is not in the database.
  package struct Prediction: Sendable, Equatable {
    /// None where no class is above its threshold; of a head of one label at most one.
    package let labels: [String]
    /// By class.
    package let probabilities: [Float]
  }

  /// Predictions for vectors that are not in the database, such as those of the cells of a new image.
  ///
  /// - Parameter vectors: [count, dimension], as the head's space would store them.
  /// - Throws: `usage` for a head of samples of several cells, `badData` for vectors that lead to no probability.
  package func predictions(for vectors: [Float]) throws -> [Prediction] {
    guard unit == .cell else {
      throw Fault(
        .usage, "the head", "predicts for samples of several cells (\(unit.name)), not for single ones",
        remedy: "ingest the image, and predict for its cells")
    }
    let source = AveragedVectors(vectors, dimension: space.dimension)
    let probabilities = try head.finiteProbabilities(
      of: (0..<Int32(source.count)).map { $0 }, in: source, threads: threads)
    return (0..<source.count).map { sample in
      let own = probabilities[sample * classes.count..<(sample + 1) * classes.count]
      return Prediction(labels: labels(for: own).labels, probabilities: Array(own))
    }
  }
}
