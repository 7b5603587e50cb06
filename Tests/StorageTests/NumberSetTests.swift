import Testing

@testable import Storage

@Suite struct NumberSetTests {
  /// Numbers with NaN, -0, fractions and repetitions among them.
  private static let column: [Double] = (0..<8189).map { (row: Int) -> Double in
    if row % 11 == 0 { return Double.nan }
    if row % 11 == 1 { return -0.0 }
    if row % 11 == 2 { return Double(row) / 7 }
    return row % 11 == 3 ? Double(-row) : Double(row % 97)
  }

  /// Few numbers are compared with each of a column, many looked up: both give what plain Swift gives.
  @Test(arguments: [0, 1, 3, 16, 17, 40, 5_000]) func marksAreThoseOfEveryNumberByItself(count: Int) {
    var wanted: [Double] = []
    for number in 0..<count {
      let value = Double(number)
      wanted.append(number % 5 == 4 ? value / 7 : number % 5 == 3 ? -value : value)
    }
    let wordCount = (Self.column.count + 63) / 64
    var expected = [UInt64](repeating: 0, count: wordCount)
    let members = Set(wanted)
    for (row, number) in Self.column.enumerated() where members.contains(number) {
      expected[row / 64] |= 1 << UInt64(row % 64)
    }
    let reversed: [Double] = wanted.reversed()
    for numbers: [Double] in [wanted, reversed + wanted, wanted + [Double.nan]] {
      var bits = [UInt64](repeating: .max, count: wordCount)
      let set = NumberSet(numbers)
      Self.column.withUnsafeBufferPointer { column in
        bits.withUnsafeMutableBufferPointer { set.mark(column, in: $0) }
      }
      #expect(bits == expected)
    }
  }
}
