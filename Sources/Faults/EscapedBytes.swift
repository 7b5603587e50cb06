/// The text of bytes such as a file's name, with each byte that is not UTF-8 written as `\xE9`.
package func escapingBytes(in bytes: some Collection<UInt8>) -> String {
  var text = ""
  var rest = bytes[...]
  while let first = rest.first {
    let scalar = (1...4).lazy.compactMap { String(validating: rest.prefix($0), as: UTF8.self) }.first
    text += scalar ?? "\\x\(first < 16 ? "0" : "")\(String(first, radix: 16, uppercase: true))"
    rest = rest.dropFirst(scalar?.utf8.count ?? 1)
  }
  return text
}
