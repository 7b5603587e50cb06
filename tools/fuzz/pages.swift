import Faults
import Glibc

@testable import Storage

/// The sound data file that FUZZ_DATABASE names.
private let original: [UInt8] = {
  guard let path = getenv("FUZZ_DATABASE"), let file = fopen(path, "r") else { fatalError("no FUZZ_DATABASE") }
  defer { fclose(file) }
  fseek(file, 0, SEEK_END)
  let byteCount = ftell(file)
  rewind(file)
  return [UInt8](unsafeUninitializedCapacity: byteCount) { $1 = fread($0.baseAddress, 1, byteCount, file) }
}()

/// The input is a list of changes to a sound data file, of 8 bytes each: page u16, place in it u16, and the 4 bytes that
/// are written there. Every page is then read in every way.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let start else { return 0 }
  let input = UnsafeRawBufferPointer(start: start, count: count)
  // As long as the file, so that the sanitizer sees a read behind its end.
  let file = UnsafeMutableRawBufferPointer.allocate(byteCount: original.count, alignment: 4096)
  defer { file.deallocate() }
  file.copyBytes(from: original)
  for offset in stride(from: 0, to: count - 7, by: 8) {
    let page = Int(input.loadUnaligned(fromByteOffset: offset, as: UInt16.self)) % (file.count / 4096)
    let place = Int(input.loadUnaligned(fromByteOffset: offset + 2, as: UInt16.self)) % 4093
    let value = input.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
    file.storeBytes(of: value, toByteOffset: page * 4096 + place, as: UInt32.self)
  }
  guard let base = file.baseAddress else { return 0 }
  for slot in 0..<2 {
    guard let meta = MetaPage(base + slot * 4096), meta.isPlausible, meta.byteCount <= file.count else { continue }
    exercise(
      PageSnapshot(
        path: "input", base: UnsafeRawPointer(base), meta: meta, pageCount: meta.pageCount, owner: nil))
  }
  return 0
}

private func exercise(_ pages: PageSnapshot) {
  for finding in PageAudit.findings(of: pages) { checkSentence(finding.fault) }
  exercise(pages.meta.mainTree, of: pages)
  attempt { exercise(try pages.freeTree(), of: pages) }
  do {
    let trees = try TableTrees(pages, path: "input")
    for table in Table.allCases { exercise(trees[table], of: pages) }
  } catch {
    checkSentence(error)
  }
}

/// Goes through a tree by survey and by cursor, and looks for each key that it met.
private func exercise(_ tree: TreeRecord, of pages: PageSnapshot) {
  var sum = 0
  var keys: [UnsafeRawBufferPointer] = []
  attempt {
    try TreeSurvey(pages, tree).run(
      damage: checkSentence,
      entry: { key, value in
        sum += Int(value.first ?? 0) + Int(value.last ?? 0)
        if keys.count < 50 { keys.append(key) }
      })
  }
  attempt {
    let cursor = TreeCursor(pages, tree)
    var entry = try cursor.first()
    while let (_, value) = entry {
      sum += value.count
      entry = try cursor.next()
    }
    _ = try cursor.last()
    _ = try cursor.previous()
  }
  for key in keys {
    attempt { _ = try TreeCursor.find(key, in: tree, of: pages.borrowed) }
    attempt { _ = try TreeCursor(pages, tree).seek(key) }
  }
  guard sum >= 0 else { fatalError("a sum of bytes below zero") }
}

private func attempt(_ body: () throws -> Void) {
  do { try body() } catch { checkSentence(error) }
}
