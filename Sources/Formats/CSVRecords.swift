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

  /// The next line that is not empty, whatever its number of fields.
  mutating func next() throws(Fault) -> CSVRow? {
    var fields: [String] = []
    var bytes: [UInt8] = []
    var state = State.start
    var firstLine = line
    var openingLine = line
    while let byte = try input.next() {
      let isBreak = byte == 0x0A || byte == 0x0D
      if isBreak {
        // CR LF is one line break; inside quotes both bytes are kept.
        if byte == 0x0D, try input.peek() == 0x0A {
          if state == .quoted { bytes.append(byte) }
          continue
        }
        line += 1
      }
      switch state {
      case .quoted:
        if byte == 0x22 { state = .afterQuote } else { bytes.append(byte) }
      case .afterQuote where byte == 0x22:
        bytes.append(byte)
        state = .quoted
      case .start where byte == 0x22:
        openingLine = line
        state = .quoted
      case .start, .bare, .afterQuote:
        if byte == delimiter || isBreak {
          if isBreak, fields.isEmpty, state == .start {
            firstLine = line
            continue
          }
          fields.append(try text(bytes, at: firstLine))
          bytes.removeAll(keepingCapacity: true)
          state = .start
          if isBreak { return CSVRow(fields: fields, line: firstLine) }
        } else if state == .afterQuote {
          throw Fault(
            .badData, place(line), "text follows the closing quote of field \(fields.count + 1)",
            remedy: "double the quotes inside a quoted field")
        } else {
          bytes.append(byte)
          state = .bare
        }
      }
    }
    if state == .quoted {
      throw Fault(.badData, place(openingLine), "the quote that opens on this line is not closed")
    }
    if fields.isEmpty, state == .start { return nil }
    fields.append(try text(bytes, at: firstLine))
    return CSVRow(fields: fields, line: firstLine)
  }

  private func text(_ bytes: [UInt8], at line: Int) throws(Fault) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Fault(
        .badData, place(line), "is not valid UTF-8", remedy: "save the table as CSV UTF-8 and try again")
    }
    return text
  }

  func place(_ line: Int) -> String { "\(name) line \(line)" }
}
