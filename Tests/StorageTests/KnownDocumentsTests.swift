import Testing

@testable import Storage

@Suite struct KnownDocumentsTests {
  private func value(_ bytes: [UInt8], in known: KnownDocuments<Int>) -> Int? {
    bytes.withUnsafeBytes { known.value(of: $0) }
  }

  @Test func onlyTheSameBytesAreKnownAndTheLastFew() {
    let known = KnownDocuments<Int>()
    #expect(value([], in: known) == nil)
    known.note([1, 2], is: 12)
    for other: [UInt8] in [[1], [1, 2, 3], [1, 3], []] { #expect(value(other, in: known) == nil) }
    #expect(value([1, 2], in: known) == 12)
    for number in 0..<8 { known.note([9, UInt8(number)], is: number) }
    #expect(value([1, 2], in: known) == nil)
    #expect(value([9, 0], in: known) == 0 && value([9, 7], in: known) == 7)
  }
}
