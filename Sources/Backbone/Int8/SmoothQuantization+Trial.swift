extension SmoothQuantization {
  /// Calibrates a model on made-up images, and compares its vectors with those of float32 on others.
  ///
  /// - Throws: `usage` when they lie too far apart.
  init(tried checkpoint: ViTCheckpoint, model: String) throws {
    let reference = try ViTWeights(checkpoint, precision: .float32)
    let trial = try Trial(checkpoint, weights: reference)
    let statistics = trial.statistics(of: reference, count: Self.imageCount, seed: Self.seed)
    try self.init(checkpoint, statistics: statistics)
    let weights = try ViTWeights(checkpoint, precision: .int8, smoothing: self)
    try Int8SelfTest(trial, of: weights, against: reference).check(model: model)
  }

  /// Three of each kind.
  private static var imageCount: Int { 9 }
  private static var seed: UInt64 { 1 }
}
