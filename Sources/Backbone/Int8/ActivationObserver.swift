/// The inputs of a block's products. Queries, keys and values have the same.
enum ProductInput: Int, CaseIterable {
  /// The first layer norm.
  case attention
  /// What attention gathered.
  case context
  /// The second layer norm.
  case mlp
  /// Hidden units of the MLP.
  case hidden
}

/// What the components of a product's input were over some tokens.
struct ActivationStatistics {
  /// The largest absolute value of each.
  private(set) var largest: [Float]
  private var sums: [Double]
  private var tokenCount = 0

  init(width: Int) {
    largest = Array(repeating: 0, count: width)
    sums = Array(repeating: 0, count: width)
  }

  var means: [Float] { sums.map { Float($0 / Double(max(1, tokenCount))) } }

  mutating func add(_ token: UnsafePointer<Float>) {
    tokenCount += 1
    for index in largest.indices {
      largest[index] = max(largest[index], abs(token[index]))
      sums[index] += Double(token[index])
    }
  }

  mutating func add(_ other: ActivationStatistics) {
    tokenCount += other.tokenCount
    for index in largest.indices {
      largest[index] = max(largest[index], other.largest[index])
      sums[index] += other.sums[index]
    }
  }
}

/// Watches the forward pass of images, by one thread.
final class ActivationObserver {
  /// [blocks, inputs].
  private(set) var statistics: [[ActivationStatistics]]

  init(_ geometry: ViTGeometry) {
    let block = ProductInput.allCases.map {
      ActivationStatistics(width: $0 == .hidden ? geometry.mlpWidth : geometry.width)
    }
    statistics = Array(repeating: block, count: geometry.depth)
  }

  /// Takes up float32 rows, of any stride.
  func observe(_ rows: Rows, _ count: Int, as input: ProductInput, ofBlock block: Int) {
    for row in 0..<count { statistics[block][input.rawValue].add(rows.floats(row)) }
  }

  func add(_ other: ActivationObserver) {
    for (block, inputs) in other.statistics.enumerated() {
      for (input, found) in inputs.enumerated() { statistics[block][input].add(found) }
    }
  }
}
