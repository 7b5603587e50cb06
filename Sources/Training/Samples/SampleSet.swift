/// Some of the samples of a table, as a bit each; goes through them in order.
package struct SampleSet: Sendable, Equatable {
  package let count: Int
  /// Bit s % 64 of word s / 64 says whether sample s is in the set; the last word is not 0.
  private let words: [UInt64]

  /// - Parameter samples: not negative, in any order.
  package init(_ samples: some Sequence<Int32>) {
    var words: [UInt64] = []
    for sample in samples {
      let word = Int(sample) / 64
      if word >= words.count { words += repeatElement(0, count: word + 1 - words.count) }
      words[word] |= 1 << UInt64(sample % 64)
    }
    self.init(words: words)
  }

  /// Those below a limit that are wanted.
  init(below limit: Int, where isWanted: (Int32) -> Bool) {
    var words: [UInt64] = []
    words.reserveCapacity((limit + 63) / 64)
    for first in stride(from: 0, to: limit, by: 64) {
      var word: UInt64 = 0
      for bit in 0..<Swift.min(64, limit - first) where isWanted(Int32(first + bit)) {
        word |= 1 << UInt64(bit)
      }
      words.append(word)
    }
    while words.last == 0 { words.removeLast() }
    self.init(words: words)
  }

  /// - Parameter words: the last of them is not 0.
  private init(words: [UInt64]) {
    self.words = words
    count = words.reduce(0) { $0 + $1.nonzeroBitCount }
  }

  package func contains(_ sample: Int32) -> Bool {
    let word = Int(sample) / 64
    return word < words.count && words[word] >> UInt64(sample % 64) & 1 == 1
  }

  package func union(_ other: SampleSet) -> SampleSet {
    let (long, short) = words.count < other.words.count ? (other.words, words) : (words, other.words)
    var all = long
    for (index, word) in short.enumerated() { all[index] |= word }
    return SampleSet(words: all)
  }
}

extension SampleSet: Sequence {
  package var underestimatedCount: Int { count }

  package func makeIterator() -> Iterator { Iterator(words) }

  package struct Iterator: IteratorProtocol {
    private let words: [UInt64]
    private var wordsTaken = 0
    /// What is left of the last word that was taken.
    private var rest: UInt64 = 0

    fileprivate init(_ words: [UInt64]) { self.words = words }

    package mutating func next() -> Int32? {
      while rest == 0 {
        guard wordsTaken < words.count else { return nil }
        rest = words[wordsTaken]
        wordsTaken += 1
      }
      defer { rest &= rest - 1 }
      return Int32(64 * (wordsTaken - 1) + rest.trailingZeroBitCount)
    }
  }
}
