package import Faults
import Glibc

/// The names of all that is in a folder, in no order; bytes that are no UTF-8 are replaced.
/// - Throws: `inputOutput`, and `missingInput` where there is no folder.
package func namesInFolder(_ path: String) throws(Fault) -> [String] {
  guard let stream = opendir(path) else { throw Fault.system(path, "open the folder") }
  defer { closedir(stream) }
  var names: [String] = []
  while true {
    errno = 0
    guard let entry = readdir(stream) else { break }
    let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
    names.append(String(decoding: bytes, as: UTF8.self))
  }
  guard errno == 0 else { throw Fault.system(path, "list the folder") }
  return names
}
