import Faults

/// The grammar of comma-separated values: cuts bytes into records of fields, of whatever number.
struct CSVRecords: ~Copyable {
  private let name: String
  private let delimiter: UInt8
  private var input: ByteInput
  /// Line of the next byte, from 1.
  private var line = 1

  init(_ input: consuming ByteInput, name: String, delimiter: CSVDelimiter) {
    self.input = input
    self.name = name
    self.delimiter = delimiter.rawValue
  }

  private enum State { case start, bare, quoted, afterQuote }

  /// Appends the next line that is not empty to `rows`, whatever its number of fields. After a fault `rows` has a
  /// part of it.
  /// - Returns: false at the end.
  mutating func next(into rows: inout CSVRows) throws(Fault) -> Bool {
    let first = rows.bytes.count
    let hasRow = try takePlainRecord(into: &rows) ? true : takeRecord(into: &rows)
    if hasRow { try requireText(rows, from: first) }
    return hasRow
  }

  /// Takes a line that has no quote and lies in the buffer with its end: nearly all lines of nearly all tables.
  private mutating func takePlainRecord(into rows: inout CSVRows) throws(Fault) -> Bool {
    let delimiter = delimiter
    // What ends a field is below most letters and digits.
    let highest = max(delimiter, 0x22)
    let start = rows.bytes.count
    let fieldCount = rows.bounds.count
    let byteCount = try input.take { bytes in
      var fieldStart = 0
      for index in bytes.indices where bytes[index] <= highest {
        let byte = bytes[index]
        if byte == delimiter {
          rows.bounds.append(start + fieldStart..<start + index)
          fieldStart = index + 1
        } else if byte == 0x22 {
          return 0
        } else if byte == 0x0A || byte == 0x0D {
          let isReturn = byte == 0x0D
          if index == 0 || isReturn && index + 1 == bytes.count { return 0 }
          rows.bounds.append(start + fieldStart..<start + index)
          rows.bytes.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[..<index]))
          return isReturn && bytes[index + 1] == 0x0A ? index + 2 : index + 1
        }
      }
      return 0
    }
    guard byteCount > 0 else {
      rows.bounds.removeLast(rows.bounds.count - fieldCount)
      return false
    }
    rows.lines.append(line)
    line += 1
    return true
  }

  /// Takes any line, byte by byte.
  private mutating func takeRecord(into rows: inout CSVRows) throws(Fault) -> Bool {
    var start = rows.bytes.count
    let fieldCount = rows.bounds.count
    var state = State.start
    var firstLine = line
    var openingLine = line
    while let byte = try input.next() {
      let isBreak = byte == 0x0A || byte == 0x0D
      if isBreak {
        // CR LF is one line break; inside quotes both bytes are kept.
        if byte == 0x0D, try input.peek() == 0x0A {
          if state == .quoted { rows.bytes.append(byte) }
          continue
        }
        line += 1
      }
      switch state {
      case .quoted:
        if byte == 0x22 { state = .afterQuote } else { rows.bytes.append(byte) }
      case .afterQuote where byte == 0x22:
        rows.bytes.append(byte)
        state = .quoted
      case .start where byte == 0x22:
        openingLine = line
        state = .quoted
      case .start, .bare, .afterQuote:
        if byte == delimiter || isBreak {
          if isBreak, rows.bounds.count == fieldCount, state == .start {
            firstLine = line
            continue
          }
          rows.bounds.append(start..<rows.bytes.count)
          state = .start
          if isBreak {
            rows.lines.append(firstLine)
            return true
          }
          rows.bytes.append(delimiter)
          start = rows.bytes.count
        } else if state == .afterQuote {
          throw Fault(
            .badData, place(line),
            "text follows the closing quote of field \(rows.bounds.count - fieldCount + 1)",
            remedy: "double the quotes inside a quoted field")
        } else {
          rows.bytes.append(byte)
          state = .bare
        }
      }
    }
    if state == .quoted {
      throw Fault(.badData, place(openingLine), "the quote that opens on this line is not closed")
    }
    if rows.bounds.count == fieldCount, state == .start { return false }
    rows.bounds.append(start..<rows.bytes.count)
    rows.lines.append(firstLine)
    return true
  }

  /// - Throws: `badData` when the last row, whose bytes begin at `first`, is not UTF-8. Delimiters keep halves of a
  ///   character apart.
  private func requireText(_ rows: CSVRows, from first: Int) throws(Fault) {
    let bytes = rows.bytes[first...]
    if bytes.reduce(0, |) < 0x80 || String(validating: bytes, as: UTF8.self) != nil { return }
    throw Fault(
      .badData, place(rows.lines.last ?? line), "is not valid UTF-8",
      remedy: "save the table as CSV UTF-8 and try again")
  }

  func place(_ line: Int) -> String { "\(name) line \(line)" }
}
