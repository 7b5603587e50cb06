import Formats
import Identity
import Testing

@testable import Storage

@Suite struct DocumentTests {
  @Test func digestsAreSpelledAs32DigitsAndReadAgain() {
    let digest = ContentHash(high: 0x0123_4567_89AB_CDEF, low: 0xF0)
    #expect(digest.description == "0123456789abcdef00000000000000f0")
    #expect(ContentHash(digest.description) == digest)
  }

  private struct Image: Encodable {
    let identity, name: String
    let files: [ChannelFile]
    let width, height: UInt32
    let rows: [[Row]]
  }

  private struct Outcome: Encodable {
    let found, kept: Int
    let dropped: [String: Int]
    let mask, maskPath: String?
  }

  private static let texts = [
    "", "plate/a", "a\"b\\c/d", "µm – ∅ 🧫", "\u{2028}\u{7F}\u{80}e\u{301}",
    String(String.UnicodeScalarView((1..<0x20).compactMap { Unicode.Scalar($0) })),
  ]

  @Test(arguments: texts) func documentsOfImagesAreThoseOfTheGeneralEncoder(text: String) throws {
    for rows in [[], [0..<12], [3..<4, 7..<4_294_967_295]] as [[Range<Row>]] {
      let files = [
        ChannelFile(role: text, path: text, plane: 3), ChannelFile(role: "r", path: "p", plane: 0),
      ]
      let image = ImageRecord(
        identity: ContentHash(of: text), name: text, files: rows.isEmpty ? [] : files, width: 7,
        height: .max, rows: rows)
      let expected = try canonicalJSON(
        Image(
          identity: image.identity.description, name: text, files: image.files, width: 7, height: .max,
          rows: rows.map { [$0.lowerBound, $0.upperBound] }))
      #expect(String(decoding: image.document, as: UTF8.self) == expected)
      try image.document.withUnsafeBytes {
        try #expect(Document.decode(ImageRecord.self, from: $0, of: "image") == image)
      }
    }
  }

  @Test(arguments: texts) func documentsOfOutcomesAreThoseOfTheGeneralEncoder(text: String) throws {
    for dropped in [[:], [text: 1], ["too small": 2, "at the border": 3, "blank": 0]] {
      for mask in [nil, "0123456789abcdef0123456789abcdef"] {
        let path = mask.map { _ in text }
        let outcome = IngestOutcome(found: 12, kept: -1, dropped: dropped, mask: mask, maskPath: path)
        let expected = try canonicalJSON(
          Outcome(found: 12, kept: -1, dropped: dropped, mask: mask, maskPath: path))
        #expect(String(decoding: outcome.document, as: UTF8.self) == expected)
        try outcome.document.withUnsafeBytes {
          try #expect(Document.decode(IngestOutcome.self, from: $0, of: "outcome") == outcome)
        }
      }
    }
  }
}
