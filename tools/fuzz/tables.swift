import Faults
import Formats
import Glibc

/// The first byte of the input chooses a reader, the rest is the file: a table by its delimiter, or an array.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let start, count > 0 else { return 0 }
  let content = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
  do {
    switch start[0] % 4 {
    case 0: try exerciseTable(content, .comma)
    case 1: try exerciseTable(content, .tab)
    case 2: try exerciseTable(content, .semicolon)
    default: try exerciseArray(content)
    }
  } catch {
    checkSentence(error)
  }
  return 0
}

/// Row by row, a table has what it has at once.
private func exerciseTable(_ content: [UInt8], _ delimiter: CSVDelimiter) throws {
  var reader = try CSVReader(bytes: content, name: "input", delimiter: delimiter)
  var (rows, lines, cells) = (CSVRows(), 0, 0)
  while let row = try reader.next() {
    guard row.fields.count == reader.columns.count, row.line > lines else { fatalError("a row of other columns") }
    (lines, cells) = (row.line, cells + row.fields.count)
  }
  var again = try CSVReader(bytes: content, name: "input", delimiter: delimiter)
  try again.read(.max, into: &rows)
  rows.withUnsafeFields { bytes, bounds in
    guard bounds.count == cells, bounds.allSatisfy({ $0.upperBound <= bytes.count }) else {
      fatalError("other fields at once")
    }
  }
}

private func exerciseArray(_ content: [UInt8]) throws {
  var name = Array("/dev/shm/cellvec-fuzz-XXXXXX".utf8CString)
  let file = mkstemp(&name)
  defer { close(file) }
  unlink(name)
  guard write(file, content, content.count) == content.count else { return }
  let path = "/proc/self/fd/\(file)"
  let array = try NPYArray(path: path, for: .init(axes: 1...4, description: "an array"))
  array.withUnsafeValues { values in
    guard values.count == array.shape.reduce(1, *), values.count * 4 <= content.count else {
      fatalError("a shape that is not its values'")
    }
    if values.reduce(0, { $0 + $1.bitPattern.nonzeroBitCount }) < 0 { fatalError("fewer bits than none") }
  }
}
