import Plots
import Testing

@Suite struct ScaleTests {
  @Test func linearTicksAreRound() {
    #expect(Ticks.linear(0...1, count: 5).map(\.label) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(Ticks.linear(0...30, count: 5).map(\.label) == ["0", "10", "20", "30"])
    #expect(Ticks.linear(0.0031...0.0069, count: 4).map(\.label) == ["0.004", "0.005", "0.006"])
    #expect(Ticks.linear(0...50000, count: 5).map(\.label).last == "50\u{2009}000")
    #expect(Ticks.linear(-1...1, count: 2).map(\.label) == ["−1", "0", "1"])
    #expect(Ticks.linear(0...1e300, count: 2).map(\.label) == ["0", "5e+299", "1e+300"])
  }

  @Test(arguments: [0.001...1, 0.01...1, 0.05...0.9, 1.0...1000]) func logarithmicTicksLieWithin(
    domain: ClosedRange<Double>
  ) {
    let ticks = Ticks.logarithmic(domain)
    #expect(ticks.count >= 2 && ticks.count <= 13)
    #expect(
      ticks.allSatisfy { $0.value >= domain.lowerBound * 0.999 && $0.value <= domain.upperBound * 1.001 })
    #expect(Set(ticks.map(\.label)).count == ticks.count)
  }

  @Test func domainsAreRoundAndHoldTheirNumbers() {
    #expect(Ticks.roundDomain(of: [0.03, 0.71], including: [0]) == 0...0.8)
    #expect(Ticks.roundDomain(of: []) == 0...1)
    #expect(Ticks.roundDomain(of: [0]) == 0...1)
    #expect(Ticks.roundDomain(of: [3]) == 0...3)
    for values in [[0.2, 0.4], [1e-9, 2e-9], [-5, 1e6], [0.3, 0.3 + 1e-12]] {
      let domain = Ticks.roundDomain(of: values)
      // Ends are multiples of a step, up to rounding.
      let slack = (domain.upperBound - domain.lowerBound) * 1e-6
      #expect(values.allSatisfy { $0 >= domain.lowerBound - slack && $0 <= domain.upperBound + slack })
    }
  }

  @Test func textIsCutToItsRoom() {
    let name = "Nucleoli fibrillar center"
    #expect(TextMetrics.fitted(name, to: 1000, size: 12) == name)
    for width in stride(from: 12.0, through: 160, by: 7) {
      let text = TextMetrics.fitted(name, to: width, size: 12)
      #expect(TextMetrics.width(of: text, size: 12) <= width)
      let lines = TextMetrics.wrapped(name, to: width, size: 12, lines: 2)
      #expect(lines.count <= 2 && lines.allSatisfy { TextMetrics.width(of: $0, size: 12) <= width })
    }
    #expect(
      TextMetrics.wrapped("HPA FOV (DINO4Cells)", to: 90, size: 12, lines: 3) == ["HPA FOV", "(DINO4Cells)"])
    #expect(TextMetrics.wrapped("nuclear_membrane", to: 70, size: 12, lines: 3) == ["nuclear_", "membrane"])
  }

  /// Okabe and Ito's colours stay apart; gray numbers tell whether shades do so without colour.
  @Test func shadesGrowDarkerEvenly() {
    let lightness = stride(from: 0.0, through: 1, by: 0.05).map { fraction -> Double in
      let value = UInt32(Palette.sequential(fraction).value.dropFirst(), radix: 16) ?? 0
      let (red, green, blue) = (Double(value >> 16), Double(value >> 8 & 255), Double(value & 255))
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
    #expect(zip(lightness, lightness.dropFirst()).allSatisfy { $0 > $1 + 2 })
  }
}
