import Faults
import Formats
import Identity
import Randomness
import Testing

@testable import Storage

@Suite struct DocumentTests {
  private static let effort = IndexRecord.Effort(lists: 8.5, codes: 1e-7, rows: 3.4e38)
  private static let index = IndexRecord(
    dimension: 384, seed: .max, listCount: 4242, listsPerRow: 2, centres: .max,
    segments: [.init(number: 1, rowCount: 5)], lateRowCount: 7, codedRowLimit: 9,
    calibrations: [
      .init(
        recall: 0.99,
        reaches: [.init(neighbors: 1, reach: -0.1, range: 0.3, farReach: 0.75, effort: effort)], farReach: 1,
        radius: 2, deviations: 3,
        wide: [.init(from2: 0.5, reaches: [.init(neighbors: 1, reach: 0.125, range: 0.6)])])
    ], starts: .init(recall: 0.99, starts: [.init(distance2: 0.4, effort: effort)]))
  private static let graph = GraphRecord(
    dimension: 384, seed: 3, segment: 1, vertexCount: 100, entryCount: 4, leftOutCount: 5, rowLimit: 105,
    range: 0.5, distances: [.init(neighbors: 10, distance: 0.25)],
    starts: .init(
      firstVisits: 12, recall: 0.99, starts: [.init(distance: 0.25, visits: 30, unusual: 0.125)]),
    calibrations: [
      .init(
        recall: 0.9, reach: -0.2, wideReach: .init(nearLast: 0.1, wideLast: 0.2, reach: 0.3), range: 0.25,
        startLimit: 0.4,
        farReach: 0.5, effort: .init(visits: [.init(neighbors: 10, visits: 20)], farVisits: 300)),
      .init(recall: 0.95, reach: 0, farReach: nil),
    ])

  private func again<Content: DocumentContent & Encodable>(_ content: Content) throws -> Content {
    try Document.encode(content).withUnsafeBytes {
      try Document.decode(Content.self, from: $0, of: "a record")
    }
  }

  @Test func recordsOfIndexesComeBack() throws {
    #expect(try again(Self.index) == Self.index && again(Self.graph) == Self.graph)
    let unfinished = UnfinishedIndex(
      dimension: 3, seed: 1, listCount: 4, listsPerRow: 2, segment: 5, rowLimit: 6, rowCount: 7)
    #expect(try again(unfinished) == unfinished && again(FormatHeader.current) == FormatHeader.current)
    var space = SpaceRecord(
      id: 7, name: "µ \"s\"", dimension: 5, scalar: .bfloat16, recipe: "{}", backboneHash: "ab")
    #expect(try again(space) == space)
    space.backbone = .init(path: "p", branch: "student")
    space.add(precision: "float32")
    #expect(try again(space) == space)
  }

  /// Graphs once had reaches by the first vertices that were visited.
  @Test func anEarlierWideReachIsPassedOver() throws {
    let text = """
      {"farReach":0.5,"reach":-0.25,"recall":0.9,"startLimit":0.75,\
      "wide":{"nearStart":0.25,"reach":0.5,"wideStart":0.5}}
      """
    let calibration = try Array(text.utf8).withUnsafeBytes {
      try Document.decode(GraphRecord.Calibration.self, from: $0, of: "a calibration")
    }
    #expect(calibration == .init(recall: 0.9, reach: -0.25, startLimit: 0.75, farReach: 0.5))
  }

  /// Bit for bit.
  @Test func numbersComeBack() throws {
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<300 {
      let float = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
      let double = Double(bitPattern: generator.next())
      guard float.isFinite, double.isFinite else { continue }
      #expect(try again([float]) == [float] && again([double]) == [double])
    }
    #expect(try again([UInt64.max, 0]) == [.max, 0] && again([Int.min]) == [.min])
  }

  @Test(arguments: [
    "", "{}", "[]", "{\"neighbors\":10}", "{\"neighbors\":10,\"visits\":null}",
    "{\"neighbors\":10.5,\"visits\":1}", "{\"neighbors\":\"10\",\"visits\":1}",
    "{\"neighbors\":1e30,\"visits\":1}", "{\"neighbors\":10,\"visits\":1e99}",
    "{\"neighbors\":10,\"visits\":1}}", "{\"neighbors\":10,\"visits\":1,\"neighbors\":10}",
  ]) func whatIsNoSuchRecordIsAFault(text: String) {
    #expect {
      try Array(text.utf8).withUnsafeBytes {
        try Document.decode(GraphEffort.Visits.self, from: $0, of: "a record")
      }
    } throws: {
      ($0 as? Fault)?.kind == .badData
    }
  }

  @Test func aRepeatedKeyOfADictionaryIsAFault() throws {
    func counts(_ text: String) throws -> [String: Int] {
      try Array(text.utf8).withUnsafeBytes {
        try Document.decode([String: Int].self, from: $0, of: "counts")
      }
    }
    #expect(try counts("{\"a\":1,\"b\":2}") == ["a": 1, "b": 2])
    #expect(throws: Fault.self) { try counts("{\"a\":1,\"a\":1}") }
  }

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
