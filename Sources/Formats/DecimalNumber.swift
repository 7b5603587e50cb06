/// A number in decimal notation, infinite when it is out of range; nil for anything else, also for "inf", "nan" and
/// hexadecimal, which `Double` reads.
package func decimalNumber(_ text: String) -> Double? {
  guard text.utf8.allSatisfy({ (48...57).contains($0) || "+-.eE".utf8.contains($0) }) else { return nil }
  return Double(text)
}

/// The number that digits stand for, with a minus before and a point between them at most: what most columns of
/// numbers hold. The same as `decimalNumber` of the text; nil for other notations of numbers, for more than fifteen
/// digits, and where zeros pad the front, as those of identifiers do.
package func plainDecimalNumber(_ text: UnsafeRawBufferPointer) -> Double? {
  let isNegative = text.first == UInt8(ascii: "-")
  let digits = UnsafeRawBufferPointer(rebasing: text[(isNegative ? 1 : 0)...])
  // Both the digits as a whole number and the power of ten are exact, so their quotient is rounded once.
  guard let first = digits.first, let last = digits.last, digits.count <= 16, isDigit(first), isDigit(last),
    first != UInt8(ascii: "0") || digits.count == 1 || !isDigit(digits[1])
  else { return nil }
  var number: Int64 = 0
  var point: Int?
  for (index, byte) in digits.enumerated() {
    if isDigit(byte) {
      number = number * 10 + Int64(byte &- UInt8(ascii: "0"))
    } else if byte == UInt8(ascii: "."), point == nil {
      point = index
    } else {
      return nil
    }
  }
  if point == nil, digits.count > 15 { return nil }
  let magnitude = Double(number) / powersOfTen[point.map { digits.count - $0 - 1 } ?? 0]
  return isNegative ? -magnitude : magnitude
}

private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

private let powersOfTen: [Double] = [
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
]
