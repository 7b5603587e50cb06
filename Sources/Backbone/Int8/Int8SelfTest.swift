import Faults

/// Whether a model's vectors in int8 are near enough to those in float32.
///
/// Vectors of one model have much in common, which says nothing of images; so the mean of the float32 vectors is taken
/// from both before their cosine is. Images are others than those of the calibration.
struct Int8SelfTest {
  /// Over the images, by pooling.
  let medianCosines: [Pooling: Double]

  /// The least median that lets a model be used. ViT-S/16 and S/8 with seeded weights have 0.998 and 0.996, where other
  /// libraries' int8 has 0.997 and 0.990 (`bench/backbone/run --models s16,s8`); the worst of the fixtures, a DINOv3 of 32
  /// numbers with SwiGLU, has 0.983.
  static let floor = 0.98
  private static let imageCount = 16
  private static let seed: UInt64 = 2

  init(_ trial: Trial, of weights: ViTWeights, against reference: ViTWeights) {
    let expected = trial.vectors(of: reference, count: Self.imageCount, seed: Self.seed)
    let found = trial.vectors(of: weights, count: Self.imageCount, seed: Self.seed)
    let medians = expected.map { pooling, vectors in
      // What is not a number counts as nothing in common.
      let cosines = Self.centredCosines(vectors, found[pooling] ?? [], count: Self.imageCount)
        .map { $0.isNaN ? 0 : $0 }.sorted()
      return (pooling, (cosines[(cosines.count - 1) / 2] + cosines[cosines.count / 2]) / 2)
    }
    self.init(medianCosines: Dictionary(uniqueKeysWithValues: medians))
  }

  init(medianCosines: [Pooling: Double]) { self.medianCosines = medianCosines }

  /// The cosine of each vector with its reference, the mean of the references taken from both. Vectors that are all the
  /// same give NaN.
  /// - Shape: [count, dimension] both.
  static func centredCosines(_ reference: [Float], _ found: [Float], count: Int) -> [Double] {
    let dimension = reference.count / count
    var mean = [Double](repeating: 0, count: dimension)
    for (index, value) in reference.enumerated() { mean[index % dimension] += Double(value) / Double(count) }
    return (0..<count).map { row in
      var (product, square, foundSquare) = (0.0, 0.0, 0.0)
      for index in 0..<dimension {
        let expected = Double(reference[row * dimension + index]) - mean[index]
        let actual = Double(found[row * dimension + index]) - mean[index]
        product += expected * actual
        square += expected * expected
        foundSquare += actual * actual
      }
      return product / (square * foundSquare).squareRoot()
    }
  }

  /// - Throws: `usage` when the vectors of a pooling are too far from float32.
  func check(model: String) throws {
    // Those that are not a number too.
    let failed = medianCosines.filter { !($0.value >= Self.floor) }
    guard let worst = failed.min(by: { $0.value < $1.value }) else { return }
    throw Fault(
      .usage, "--precision int8, model \(model)",
      expected:
        "vectors (pooling \(worst.key.rawValue)) of a centred cosine of at least \(Self.floor) to those of float32",
      found: "\((worst.value * 10_000).rounded() / 10_000) on made-up images",
      remedy: "use --precision bfloat16")
  }
}
