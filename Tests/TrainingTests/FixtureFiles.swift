import FoundationEssentials
import TestSupport

@testable import Training

/// Predictions and what scikit-learn makes of them.
struct ScoresFixture: Decodable {
  struct ClassScores: Decodable {
    let precision, recall, f1: Double
    let support: Int
    let auroc, averagePrecision: Double?
  }

  let labels: [[Int]]
  let probabilities: [Float]
  let classes: [ClassScores]
  let macroF1, microF1: Double
  let emptyPredictions: Int
}

/// A training as PyTorch carried it out.
struct TrainingFixture: Decodable {
  let hidden: [Int]
  let learningRate, weightDecay: Double
  let labels: [[Int]]
  let vectors, initial: [Float]
  let batches: [[Int32]]
  let losses: [Double]
  let parameters, probabilities: [Float]
  /// Soft targets, [samples, classes]; without them labels are learned as 1.
  let targets: [Float]?
  let loss: HeadLoss?
  let schedule: RateSchedule?
}

func decodeFixture<Content: Decodable>(_ name: String, as: Content.Type = Content.self) throws -> Content {
  let bytes = try Data(contentsOf: URL(filePath: fixturePath("training/\(name).json")))
  return try JSONDecoder().decode(Content.self, from: bytes)
}

/// A table of classes "0", "1", ... from their numbers.
func labelTable(_ members: [[Int]], classCount: Int) throws -> LabelTable {
  try LabelTable(labels: members.map { $0.map(String.init) }, classes: (0..<classCount).map(String.init))
}
