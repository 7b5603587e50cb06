import FoundationEssentials
import Identity
import TestSupport
import Testing

@testable import Storage

/// What schema/store.md says, beside what is written.
@Suite struct SchemaTests {
  private func schema() throws -> [Substring] {
    let content = try #require(bytes(ofFile: fixturePath("../../schema/store.md")))
    return String(decoding: content, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// The names in backquotes at the beginning of the rows of the table whose header begins with a column.
  private func firstColumn(of column: String) throws -> Set<String> {
    let rows = try schema().drop { !$0.hasPrefix("| \(column) |") }.dropFirst(2).prefix { $0.hasPrefix("|") }
    return Set(
      rows.compactMap { row in
        let cell = row.dropFirst().prefix { $0 != "|" }
        return cell.contains("`") ? cell.split(separator: "`")[1].description : nil
      })
  }

  @Test func everyTableIsDescribed() throws {
    #expect(try firstColumn(of: "table") == Set(Table.allCases.map(\.name)))
    #expect(try schema().contains { $0.contains("`max_dbs = \(Table.allCases.count)`") })
  }

  @Test func everyFlagIsDescribed() throws {
    #expect(try firstColumn(of: "flag") == FormatHeader.knownReaderFlags.union(FormatHeader.knownWriterFlags))
  }

  @Test func documentsAreTheExamples() throws {
    let lines = try schema()
    #expect(try lines.contains("`\(canonical(FormatHeader.current))`"))
    let image = ImageRecord(
      identity: ContentHash(high: 0, low: 0), name: "plate/a",
      files: [ChannelFile(role: "protein", path: "plate/a_protein.png", plane: 0)], width: 512, height: 512,
      rows: [0..<12])
    let document = String(decoding: image.document, as: UTF8.self)
    #expect(lines.contains("`\(document.replacing("\(image.identity)", with: "…"))`"))
    let outcome = IngestOutcome(
      found: 13, kept: 12, dropped: ["too small": 1], mask: "…", maskPath: "plate/a_mask.png")
    let outcomeText = String(decoding: outcome.document, as: UTF8.self)
    #expect(lines.contains { $0.contains("`\(outcomeText)`") })
  }

  private func canonical(_ header: FormatHeader) throws -> String {
    String(decoding: try Document.encode(header), as: UTF8.self)
  }

  @Test func theWorkedExampleIsWhatIsWritten() throws {
    let example = try schema().drop { !$0.hasPrefix("Worked example") }
      .drop { !$0.hasPrefix("```") }.dropFirst().prefix { !$0.hasPrefix("```") }
    // Numbers in hexadecimal, then, after two spaces, what they are.
    let digits = example.flatMap { line in
      line.prefix(upTo: line.firstRange(of: "  ")?.lowerBound ?? line.endIndex).filter(\.isHexDigit)
    }
    let expected = stride(from: 0, to: digits.count, by: 2).compactMap {
      UInt8(String(digits[$0..<$0 + 2]), radix: 16)
    }
    try withTemporaryDirectory { directory in
      let writer = try DatabaseWriter(path: "\(directory)/db", create: true)
      try writer.write { transaction in
        let gene = try transaction.field(named: "gene", type: .string)
        let area = try transaction.field(named: "area", type: .number)
        let image = try transaction.addImage(
          ImageRecord(identity: ContentHash(of: "a"), name: "a", files: [], width: 100, height: 100))
        let geometry = CellGeometry(
          box: BoundingBox(x: 10, y: 20, width: 30, height: 40), centerX: 25, centerY: 40, areaPx: 1000)
        let values: [UInt16: FieldValue] = [gene.id: .string("BAG6"), area.id: .number(1000)]
        _ = try transaction.appendCells(
          [CellRecord(image: image, object: .label(7), geometry: geometry, values: values)], of: image)
      }
      try writer.database.read { snapshot in
        let key = Key().appending(0 as Row)
        let found = try snapshot.transaction.get(.cells, key)
        let value = try #require(found)
        let seal = key.bytes.withUnsafeBytes { Seal.of(key: $0, value: value) }
        #expect(Array(value) + withUnsafeBytes(of: seal.littleEndian, Array.init) == expected)
      }
    }
  }
}
