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

  /// Predictions for vectors that are not in the database, such as those of the cells of a new image: what cells with these
  /// vectors would get if they were.
  ///
  /// A voter with the same numbers as a vector, as the space keeps them, has no vote on it.
  ///
  /// - Parameter vectors: [count, dimension]
  /// - Throws: `usage` for a head of samples of several cells, `badData` for vectors that the space cannot keep, or that lead
  ///   to no probability.
  package func predictions(for vectors: [Float]) throws -> [Prediction] {
    guard unit == .cell else {
      throw Fault(
        .usage, "the head", "predicts for samples of several cells (\(unit.name)), not for single ones",
        remedy: "ingest the image, and predict for its cells")
    }
    let source = AveragedVectors(try kept(vectors), dimension: space.dimension)
    let samples = Array(0..<Int32(source.count))
    let voters = head.neighbors.map { OwnVoters(of: $0.voters, rows: nil) }
    let probabilities = try head.finiteProbabilities(
      of: samples, in: source, excluding: voters?.groups(of: samples.map { _ in [] }, in: source),
      threads: threads)
    return (0..<source.count).map { sample in
      let own = probabilities[sample * classes.count..<(sample + 1) * classes.count]
      return Prediction(labels: labels(for: own).labels, probabilities: Array(own))
    }
  }

  /// Vectors with the numbers that the head's space would keep of them.
  /// - Throws: `badData` for a number that it cannot keep.
  private func kept(_ vectors: [Float]) throws -> [Float] {
    let (scalar, dimension) = (space.scalar, space.dimension)
    if let index = vectors.withUnsafeBufferPointer({ scalar.firstBeyond(in: $0) }) {
      throw unstorable(vectors[index], ofCell: index / dimension, column: index % dimension)
    }
    return [Float](unsafeUninitializedCapacity: vectors.count) { kept, count in
      count = vectors.count
      guard let target = kept.baseAddress else { return }
      vectors.withUnsafeBufferPointer { vectors in
        withUnsafeTemporaryAllocation(
          byteCount: scalar.byteCount(dimension: dimension), alignment: MemoryLayout<Float>.alignment
        ) { stored in
          guard let base = stored.baseAddress else { return }
          for start in stride(from: 0, to: vectors.count, by: dimension) {
            let vector = UnsafeBufferPointer(rebasing: vectors[start..<start + dimension])
            scalar.narrow(vector, dimension: dimension, into: base)
            scalar.widen(base, count: dimension, into: target + start)
          }
        }
      }
    }
  }

  private func unstorable(_ value: Float, ofCell cell: Int, column: Int) -> Fault {
    let remedy = "predict for the others one by one, with --object"
    guard value.isFinite else {
      return Fault(
        .badData, "the vector of cell \(cell + 1) of those given", expected: "finite numbers",
        found: "NaN or infinity", remedy: remedy)
    }
    return Fault(
      .badData, "the vector of cell \(cell + 1) of those given, column \(column)",
      expected: "numbers up to \(space.scalar.greatestText), which space \"\(space.name)\" keeps as "
        + space.scalar.rawValue,
      found: "\(value)", remedy: remedy)
  }
}
