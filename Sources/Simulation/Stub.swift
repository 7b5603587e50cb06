import Faults
import Glibc

func writePNG16(_ path: String, width: Int, height: Int, pixels: [UInt16]) throws(Fault) {
  guard let file = fopen(path, "w") else { throw Fault.system(path, "create") }
  fputs("P5 \(width) \(height) 65535\n", file)
  let swapped = pixels.map(\.bigEndian)
  fwrite(swapped, 2, swapped.count, file)
  fclose(file)
}

struct CSVWriter: ~Copyable {
  var file: UnsafeMutablePointer<FILE>
  init(path: String) throws(Fault) {
    guard let file = fopen(path, "w") else { throw Fault.system(path, "create") }
    self.file = file
  }
  mutating func write(_ fields: [String]) throws(Fault) {
    fputs(fields.joined(separator: ",") + "\n", file)
  }
  consuming func close() throws(Fault) { fclose(file) }
}
