import Training

/// What a head predicts for the cells of an image that is not in the database.
struct ImagePredictions {
  private let prediction: DatabasePrediction
  private let cells: Queries
  private let predicted: [DatabasePrediction.Prediction]

  /// Likeliest classes that a table shows of a cell at least.
  private static let shownCount = 3

  /// - Throws: as `DatabasePrediction.predictions`.
  init(_ prediction: DatabasePrediction, of cells: Queries) throws {
    self.prediction = prediction
    self.cells = cells
    predicted = try prediction.predictions(for: cells.vectors)
  }

  /// A line for each cell.
  /// - Parameter isForReading: whether it is to fit a terminal: of several labels a cell, the likeliest classes then stand in
  ///   one column, else the probability of each class in its own, by the names of the fields that `predict` writes.
  func report(forReading isForReading: Bool) -> Report {
    let isShort = isForReading && prediction.task == .multi
    let probabilities: [Column] =
      isShort ? ["likeliest"] : prediction.probabilityFields.map { Column($0, decimals: 4) }
    return Report(
      cells.columns + [Column(prediction.predictionField)] + probabilities,
      rows: predicted.enumerated().map { cell, predicted in
        cells.values(of: cell)
          + (isShort ? [.list(predicted.labels), .text(likeliest(predicted))] : values(of: predicted))
      })
  }

  private func values(of predicted: DatabasePrediction.Prediction) -> [Value] {
    switch prediction.task {
    case .single: [.text(predicted.labels.first), .real(predicted.probabilities.max() ?? 0)]
    case .multi: [.list(predicted.labels)] + predicted.probabilities.map { .real($0) }
    }
  }

  /// "Cytosol 0.81, Nucleoplasm 0.60, Golgi 0.07": the likeliest classes, and all that are predicted.
  private func likeliest(_ predicted: DatabasePrediction.Prediction) -> String {
    let order = predicted.probabilities.indices.sorted {
      (-predicted.probabilities[$0], $0) < (-predicted.probabilities[$1], $1)
    }
    let shown = order.enumerated().filter { rank, place in
      rank < Self.shownCount || predicted.labels.contains(prediction.classes[place])
    }
    return shown.map { _, place in
      "\(prediction.classes[place]) \(fixed(Double(predicted.probabilities[place]), decimals: 2))"
    }.joined(separator: ", ")
  }
}
