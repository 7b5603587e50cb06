import Glibc

extension SeededGenerator {
  /// A uniform number in [0, 1), 53 bits.
  package mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  package mutating func uniform(in range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }

  /// A standard normal number (Box-Muller; draws two uniforms a number, keeps no state).
  ///
  /// The last bit is that of the C library's `log` and `cos`: streams repeat on machines with the same one.
  package mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }

  /// A Poisson count of the given mean: exact for small means, the rounded normal limit above 64. Like `normal`,
  /// it repeats with the same C library.
  package mutating func poisson(mean: Double) -> Int {
    guard mean > 0 else { return 0 }
    if mean > 64 { return max(0, Int((mean + mean.squareRoot() * normal()).rounded())) }
    let limit = exp(-mean)
    var count = 0
    var product = uniform()
    while product > limit {
      count += 1
      product *= uniform()
    }
    return count
  }

  /// The integers 0..<count in random order (Fisher-Yates, spelled out so that the order is ours to keep).
  package mutating func permutation(of count: Int) -> [Int32] {
    var order = (0..<Int32(count)).map { $0 }
    order.withUnsafeMutableBufferPointer { permute($0) }
    return order
  }

  /// Brings values into an order as random: what stood in place p of `permutation(of:)` then stands where p does.
  package mutating func permute(_ values: UnsafeMutableBufferPointer<Int32>) {
    for last in stride(from: values.count - 1, to: 0, by: -1) {
      values.swapAt(last, Int(next() % UInt64(last + 1)))
    }
  }
}
