package import Faults

/// Writes a table of comma- or tab-separated values to a file, which appears when it is complete.
package struct CSVWriter: ~Copyable {
  private static let bufferSize = 1 << 16

  private let delimiter: CSVDelimiter
  private var file: AtomicFile
  private var buffer: [UInt8] = []

  /// - Parameter delimiter: nil to go by the extension.
  package init(path: String, delimiter: CSVDelimiter? = nil) throws(Fault) {
    self.delimiter = delimiter ?? CSVDelimiter(forPath: path)
    file = try AtomicFile(path: path)
  }

  /// Writes one line.
  package mutating func write(_ fields: [String]) throws(Fault) {
    delimiter.append(lineOf: fields.count, to: &buffer) { fields[$0] }
    if buffer.count >= Self.bufferSize { try flush() }
  }

  /// Completes the file. Without it, nothing is left behind.
  package consuming func close() throws(Fault) {
    try flush()
    try file.commit()
  }

  private mutating func flush() throws(Fault) {
    try file.write(buffer)
    buffer.removeAll(keepingCapacity: true)
  }
}
