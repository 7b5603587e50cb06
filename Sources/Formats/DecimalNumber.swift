/// A number in decimal notation, infinite when it is out of range; nil for anything else, also for "inf", "nan" and
/// hexadecimal, which `Double` reads.
package func decimalNumber(_ text: String) -> Double? {
  guard text.utf8.allSatisfy({ (48...57).contains($0) || "+-.eE".utf8.contains($0) }) else { return nil }
  return Double(text)
}
