import Glibc

/// The way from numbers to pixels along one axis.
package struct Scale: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    case linear
    /// For numbers above 0.
    case logarithmic
  }

  package let kind: Kind
  package let domain: ClosedRange<Double>
  /// Pixels of the domain's ends; the first may be the larger.
  let start: Double
  let end: Double

  init(_ kind: Kind = .linear, _ domain: ClosedRange<Double>, from start: Double, to end: Double) {
    precondition(kind == .linear || domain.lowerBound > 0)
    self.kind = kind
    self.domain = domain
    self.start = start
    self.end = end
  }

  /// Where a number lies; those beyond the domain are brought to its ends, if it is to be bounded by them.
  func position(_ value: Double, isBounded: Bool = true) -> Double {
    let value = isBounded ? min(max(value, domain.lowerBound), domain.upperBound) : value
    let fraction =
      kind == .linear
      ? (value - domain.lowerBound) / (domain.upperBound - domain.lowerBound)
      : (log10(value) - log10(domain.lowerBound)) / (log10(domain.upperBound) - log10(domain.lowerBound))
    return start + fraction * (end - start)
  }

  /// Numbers to write beside the axis: those given, else about `count` round ones.
  func ticks(_ count: Int, at given: [Tick]? = nil) -> [Tick] {
    given ?? (kind == .linear ? Ticks.linear(domain, count: count) : Ticks.logarithmic(domain))
  }
}

/// A number beside an axis.
package struct Tick: Sendable, Equatable {
  package let value: Double
  package let label: String

  package init(value: Double, label: String) {
    self.value = value
    self.label = label
  }
}

/// Round numbers within a range.
package enum Ticks {
  /// Multiples of 1, 2 or 5 times a power of ten, with as many digits as tell them apart.
  package static func linear(_ domain: ClosedRange<Double>, count: Int) -> [Tick] {
    let span = domain.upperBound - domain.lowerBound
    let step = step(span, count: count)
    let places = max(0, Int((-log10(step) - 1e-9).rounded(.up)))
    let first = Int((domain.lowerBound / step - 1e-9).rounded(.up))
    let last = Int((domain.upperBound / step + 1e-9).rounded(.down))
    return (first...max(first, last)).map { multiple in
      let value = Double(multiple) * step
      return Tick(value: value, label: label(value, places: places))
    }
  }

  /// A range with round ends that holds these numbers.
  package static func roundDomain(of values: [Double], including fixed: [Double] = [], count: Int = 5)
    -> ClosedRange<Double>
  {
    let all = values + fixed
    guard let low = all.min(), let high = all.max() else { return 0...1 }
    if low == high { return low == 0 ? 0...1 : min(low, 0)...max(high, 0) }
    let step = step(high - low, count: count)
    let first = (low / step + 1e-9).rounded(.down)
    let last = (high / step - 1e-9).rounded(.up)
    return first * step...last * step
  }

  /// Powers of ten, and 2 and 5 times these where there are few.
  package static func logarithmic(_ domain: ClosedRange<Double>) -> [Tick] {
    let decades = Int(log10(domain.lowerBound).rounded(.down))...Int(log10(domain.upperBound).rounded(.up))
    let multiples: [Double] = decades.count <= 4 ? [1, 2, 5] : [1]
    let within = domain.lowerBound * (1 - 1e-9)...domain.upperBound * (1 + 1e-9)
    var ticks: [Tick] = []
    for decade in decades {
      for multiple in multiples {
        let value = multiple * pow(10, Double(decade))
        guard within.contains(value) else { continue }
        let places = max(0, -decade)
        ticks.append(Tick(value: value, label: label(value, places: places)))
      }
    }
    return ticks
  }

  private static func label(_ value: Double, places: Int) -> String {
    places == 0 && abs(value) < 1e15 ? grouped(Int(value.rounded())) : decimal(value, places: places)
  }

  private static func step(_ span: Double, count: Int) -> Double {
    let rough = span / Double(max(count, 1))
    let power = pow(10, log10(rough).rounded(.down))
    let least = rough * (1 - 1e-9)
    let multiples: [Double] = [1, 2, 5]
    return power * (multiples.first { $0 * power >= least } ?? 10)
  }
}
