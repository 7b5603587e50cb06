import Kernels

/// Numbers among which those of a column are looked for.
struct NumberSet: Sendable {
  /// With so many numbers a column is compared with each of them in less time than its numbers are looked up one by one.
  private static let comparedLimit = 16

  /// Without repetition and NaN.
  private let numbers: [Double]
  /// A table of the numbers for `kernels_f64_in_table`, where there are more than `comparedLimit`.
  private let slots: [UInt64]

  /// - Parameter numbers: in any order; NaN is left out.
  init(_ numbers: [Double]) {
    let numbers = Array(Set(numbers.lazy.filter { !$0.isNaN }))
    var slots: [UInt64] = []
    if numbers.count > Self.comparedLimit {
      var slotCount = 64
      while slotCount < numbers.count * 4 { slotCount *= 2 }
      slots = Array(unsafeUninitializedCapacity: slotCount) { slots, initializedCount in
        kernels_f64_table(numbers, numbers.count, slots.baseAddress, slotCount)
        initializedCount = slotCount
      }
    }
    (self.numbers, self.slots) = (numbers, slots)
  }

  /// Sets bit i % 64 of word i / 64 to whether number i of the column is one of these.
  /// - Parameter bits: [(column.count + 63) / 64], overwritten.
  func mark(_ column: UnsafeBufferPointer<Double>, in bits: UnsafeMutableBufferPointer<UInt64>) {
    if slots.isEmpty {
      kernels_f64_among(column.baseAddress, column.count, numbers, numbers.count, bits.baseAddress)
    } else {
      kernels_f64_in_table(column.baseAddress, column.count, slots, slots.count, bits.baseAddress)
    }
  }
}
