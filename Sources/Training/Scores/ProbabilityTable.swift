/// The probability of each class for each sample, in memory that is the system's to take back where there are many.
package struct ProbabilityTable: Sendable, Equatable {
  package let sampleCount: Int
  package let classCount: Int
  /// [classes, samples], so that what is ranked lies side by side.
  private let values: ScratchTable<Float>

  /// - Parameter initial: what samples have for which nothing is kept.
  /// - Throws: as `ScratchTable`.
  init(samples: Int, classes: Int, initial: Float = 0) throws {
    sampleCount = samples
    classCount = classes
    values = try ScratchTable(count: samples * classes)
    if initial != 0 { values.values.update(repeating: initial) }
  }

  package subscript(sample: Int32, index: Int) -> Float { values[index * sampleCount + Int(sample)] }

  /// The probabilities of a sample.
  package subscript(sample: Int32) -> [Float] { (0..<classCount).map { self[sample, $0] } }

  /// Keeps the probabilities of some samples. Several threads may do so at once, each of samples of its own.
  /// - Parameter rows: [samples, classes], row-major.
  func keep(_ rows: UnsafeMutableBufferPointer<Float>, of samples: ArraySlice<Int32>) {
    precondition(rows.count == samples.count * classCount)
    for (row, sample) in samples.enumerated() {
      for index in 0..<classCount {
        values[index * sampleCount + Int(sample)] = rows[row * classCount + index]
      }
    }
  }
}
