import Faults
import Glibc

func writePNG16(_ path: String, width: Int, height: Int, pixels: [UInt16]) throws(Fault) {
  guard let file = fopen(path, "w") else { throw Fault.system(path, "create") }
  fputs("P5 \(width) \(height) 65535\n", file)
  let swapped = pixels.map(\.bigEndian)
  fwrite(swapped, 2, swapped.count, file)
  fclose(file)
}
