import Glibc
import Identity
import TestSupport
import Testing

@testable import Storage

/// A database of two commits, of which the front can be damaged and mended.
final class FrontVictim {
  let path: String
  let original: [UInt8]
  /// What each commit left, by the page that tells of it.
  private(set) var truths: [Int: DatabaseContents] = [:]
  let newestPage: Int
  /// The number of the last commit.
  let transaction: UInt64

  /// - Parameter isSealed: false for a file as a program writes it that knows no seals.
  init(in directory: String, isSealed: Bool) throws {
    path = "\(directory)/db"
    let writer = try DatabaseWriter(path: path, create: true)
    for commit in 0..<2 {
      try FrontVictim.commit(commit, to: writer)
      let newest = Int(try writer.database.environment.pages.latest().meta.transaction % 2)
      truths[newest] = try writer.database.read { try DatabaseContents(of: $0) }
    }
    transaction = try writer.database.environment.pages.latest().meta.transaction
    newestPage = Int(transaction % 2)
    var content = try #require(bytes(ofFile: "\(path)/data.mdb"))
    if !isSealed {
      for page in 0..<2 {
        let start = page * 4096 + MetaSeal.offset
        content.replaceSubrange(
          start..<start + MetaSeal.byteCount, with: repeatElement(0, count: MetaSeal.byteCount))
      }
    }
    original = content
    mend()
  }

  /// 300 cells of an image of their own.
  static func commit(_ number: Int, to writer: DatabaseWriter) throws {
    try writer.write { transaction in
      let gene = try transaction.field(named: "gene", type: .string)
      let image = try transaction.addImage(
        ImageRecord(
          identity: ContentHash(of: "image \(number)"), name: "i", files: [], width: 8, height: 8))
      let cells = (0..<300).map {
        CellRecord(
          image: image, object: .label(UInt32($0)), geometry: nil, values: [gene.id: .string("g\($0 % 7)")])
      }
      _ = try transaction.addCells(cells, of: image)
    }
  }

  var contents: DatabaseContents? { try? Database(path: path).read { try DatabaseContents(of: $0) } }
  var isSound: Bool { (try? Database(path: path).check().faults.isEmpty) == true }
  var bytesNow: [UInt8]? { bytes(ofFile: "\(path)/data.mdb") }

  func write(_ bytes: some Sequence<UInt8>, at offset: Int) {
    let file = open("\(path)/data.mdb", O_WRONLY)
    defer { close(file) }
    let bytes = Array(bytes)
    #expect(pwrite(file, bytes, bytes.count, off_t(offset)) == bytes.count)
  }

  /// Changes bits of a byte.
  func flip(_ bits: UInt8, at offset: Int) { write([original[offset] ^ bits], at: offset) }

  /// Gives one of the two pages another number.
  func number(_ page: Int, _ transaction: UInt64) {
    write(
      withUnsafeBytes(of: transaction.littleEndian, Array.init),
      at: page * 4096 + PageFormat.headerByteCount + PageFormat.transactionOffset)
  }

  func mend() { write(original, at: 0) }
}
