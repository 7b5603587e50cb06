extension UnsafeBufferPointer<Float> {
  /// Whether no element is NaN or infinite. Integer arithmetic without a branch, so that it vectorises.
  package var allFinite: Bool {
    let exponent: UInt32 = 0x7F80_0000
    var excess: UInt32 = 0
    for element in self {
      excess |= ((element.bitPattern & exponent) &+ 0x0080_0000) & 0x8000_0000
    }
    return excess == 0
  }

  /// The index of the first element that is NaN or infinite; nil when all are finite.
  package var firstNonFinite: Int? {
    let step = 1 << 14
    for start in stride(from: 0, to: count, by: step) {
      let part = self[start..<Swift.min(start + step, count)]
      if !UnsafeBufferPointer(rebasing: part).allFinite { return part.firstIndex { !$0.isFinite } }
    }
    return nil
  }
}
