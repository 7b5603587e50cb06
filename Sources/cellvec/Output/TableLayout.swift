import Glibc
import Storage

/// The widths and sides of a table's columns, fitted to the rows at its top.
///
/// Rows further down keep the layout; an entry that is wider than its column pushes the rest of its line.
struct TableLayout: Sendable, Equatable {
  /// Rows that decide the layout, so that a long table can be written before it has been read.
  static let fittedRowCount = 500

  private let names: [String]
  private let decimals: [Int?]
  private let widths: [Int]
  /// Columns of numbers stand on the right.
  private let isNumeric: [Bool]

  init(_ columns: [Column], fitting rows: some Collection<[Value]>) {
    names = columns.map(\.name)
    decimals = columns.map(\.decimals)
    isNumeric = columns.indices.map { column in
      rows.allSatisfy { row in
        switch row[column] {
        case .integer, .real, .single, .null: true
        case .text, .list, .numbers: false
        }
      }
    }
    widths = columns.indices.map { column in
      rows.reduce(columns[column].name.count) {
        max($0, columnCount($1[column].tableEntry(decimals: columns[column].decimals)))
      }
    }
  }

  private init(copying other: TableLayout) {
    names = other.names
    decimals = other.decimals.map(\.self)
    widths = other.widths.map(\.self)
    isNumeric = other.isNumeric.map(\.self)
  }

  /// The same layout in memory of its own.
  func separated() -> TableLayout { TableLayout(copying: self) }

  /// The line of column names.
  /// - Parameter isBold: whether the terminal shows weight.
  func header(isBold: Bool = false) -> String {
    let line = self.line(of: names)
    return isBold ? "\u{1B}[1m\(line)\u{1B}[0m" : line
  }

  func line(_ row: [Value]) -> String {
    line(of: zip(row, decimals).map { $0.tableEntry(decimals: $1) })
  }

  private func line(of entries: [String]) -> String {
    var line = ""
    for (index, entry) in entries.enumerated() {
      let padding = String(repeating: " ", count: max(0, widths[index] - columnCount(entry)))
      line += (index > 0 ? "  " : "") + (isNumeric[index] ? padding + entry : entry + padding)
    }
    while line.utf8.last == UInt8(ascii: " ") { line.removeLast() }
    return line
  }
}

/// The columns of a terminal that a text takes up: its characters, counted the short way where it is ASCII.
private func columnCount(_ text: String) -> Int {
  text.utf8.allSatisfy { $0 < 0x80 } ? text.utf8.count : text.count
}

extension Value {
  /// The value on one line of a terminal: control characters, which could move the cursor, become "?".
  func tableEntry(decimals: Int? = nil) -> String {
    switch self {
    case .null: return "-"
    case .real(let number):
      if let decimals { return fixed(number, decimals: decimals) }
      // A table is for reading; all digits of long fractions are in the other formats.
      let short = abs(number) >= 0.001 ? fixed(number, decimals: 4) : significant(number, digits: 3)
      return plain.count > short.count ? short : plain
    case .single(let number): return Value.real(doubleOfDigits(number)).tableEntry(decimals: decimals)
    case .integer, .numbers: return plain
    case .text, .list:
      let plain = plain
      if plain.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return plain }
      var entry = ""
      for scalar in plain.unicodeScalars {
        entry.unicodeScalars.append(scalar.properties.generalCategory == .control ? "?" : scalar)
      }
      return entry
    }
  }
}

/// A number in as many digits as are told, however small it is: 3.05e-05.
private func significant(_ number: Double, digits: Int) -> String {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
    guard let start = text.baseAddress else { return "\(number)" }
    withVaList([Int32(digits), number]) { _ = vsnprintf(start, text.count, "%.*g", $0) }
    return String(cString: start)
  }
}

/// A number with a fixed count of digits after the point, halves rounded away from zero.
func fixed(_ number: Double, decimals: Int) -> String {
  let scale = (0..<decimals).reduce(1.0) { product, _ in product * 10 }
  let scaled = (number * scale).rounded()
  guard abs(scaled) < 1e15 else { return "\(number)" }
  let digits = String(Int64(abs(scaled)))
  let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
  let sign = scaled < 0 ? "-" : ""
  return decimals == 0 ? sign + padded : "\(sign)\(padded.dropLast(decimals)).\(padded.suffix(decimals))"
}
