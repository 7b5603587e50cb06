import Faults
import Glibc

/// Refuses a command line with a word that is not UTF-8, and a database that `DatabaseOptions.variable` names so: Swift's
/// texts have no such bytes, so that an input would not be found, and an output would be given another name.
/// - Throws: `usage`.
func requireLegibleArguments() throws(Fault) {
  for number in 1..<max(1, Int(CommandLine.argc)) {
    guard let argument = CommandLine.unsafeArgv[number] else { continue }
    try requireLegible(argument, named: "argument \(number)")
  }
  if let value = getenv(DatabaseOptions.variable) {
    try requireLegible(value, named: DatabaseOptions.variable)
  }
}

private func requireLegible(_ text: UnsafePointer<CChar>, named name: String) throws(Fault) {
  let bytes = UnsafeRawBufferPointer(start: text, count: strlen(text))
  guard String(validating: bytes, as: UTF8.self) == nil else { return }
  throw Fault(
    .usage, name, "is not UTF-8: \(escapingBytes(in: bytes))",
    remedy: "write it in UTF-8, and rename a file or folder that has such a name, as with convmv")
}
