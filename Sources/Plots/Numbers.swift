/// A number with a fixed count of digits after the point, halves rounded away from zero; never "-0".
package func decimal(_ number: Double, places: Int) -> String {
  precondition(number.isFinite)
  let scale = (0..<places).reduce(1.0) { product, _ in product * 10 }
  let scaled = (number * scale).rounded()
  guard abs(scaled) < 1e15 else { return "\(number)" }
  let digits = String(Int64(abs(scaled)))
  let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
  let sign = scaled < 0 ? "−" : ""
  return places == 0 ? sign + padded : "\(sign)\(padded.dropLast(places)).\(padded.suffix(places))"
}

/// A whole number with thin spaces between thousands.
package func grouped(_ number: Int) -> String {
  let digits = String(number.magnitude)
  var text = ""
  for (place, digit) in digits.enumerated() {
    if place > 0, (digits.count - place) % 3 == 0, digits.count > 4 { text += "\u{2009}" }
    text.append(digit)
  }
  return number < 0 ? "−" + text : text
}

/// A coordinate in pixels to a hundredth, as SVG writes it.
func pixels(_ value: Double) -> String {
  precondition(value.isFinite)
  let hundredths = Int64((value * 100).rounded())
  let sign = hundredths < 0 ? "-" : ""
  let (whole, part) = hundredths.magnitude.quotientAndRemainder(dividingBy: 100)
  if part == 0 { return "\(sign)\(whole)" }
  return part % 10 == 0 ? "\(sign)\(whole).\(part / 10)" : "\(sign)\(whole).\(part < 10 ? "0" : "")\(part)"
}
