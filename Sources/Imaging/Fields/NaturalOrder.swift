/// Whether `a` comes before `b` when runs of digits count as numbers: "A2" before "A10".
///
/// A total order: texts that differ only in leading zeros are told apart by their bytes.
func precedesNaturally(_ a: String, _ b: String) -> Bool {
  let a = Array(a.utf8)
  let b = Array(b.utf8)
  var i = 0
  var j = 0
  while i < a.count, j < b.count {
    if isDigit(a[i]), isDigit(b[j]) {
      let first = digits(a, from: &i)
      let second = digits(b, from: &j)
      if first.count != second.count { return first.count < second.count }
      if first != second { return first.lexicographicallyPrecedes(second) }
    } else {
      if a[i] != b[j] { return a[i] < b[j] }
      i += 1
      j += 1
    }
  }
  if a.count - i != b.count - j { return a.count - i < b.count - j }
  return a.lexicographicallyPrecedes(b)
}

private func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

/// The run of digits that starts at `index`, without leading zeros; moves `index` past it.
private func digits(_ text: [UInt8], from index: inout Int) -> ArraySlice<UInt8> {
  let start = index
  while index < text.count, isDigit(text[index]) { index += 1 }
  return text[start..<index].drop { $0 == 0x30 }
}
