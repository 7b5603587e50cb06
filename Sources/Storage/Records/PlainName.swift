import Faults

/// Refuses a name that lists, messages and scripts could not show in one line, where somebody gives it: what databases have
/// been given before stays theirs. Names of fields that tables bring are their columns', whatever these are.
/// - Parameter kind: what is to have the name.
/// - Throws: `usage` for control characters.
package func requirePlainName(_ name: String, of kind: String) throws {
  guard hasControls(name) else { return }
  throw Fault(
    .usage, "\(kind) \"\(name)\"", "cannot have a name with control characters or line breaks",
    remedy: "choose another name")
}

extension HeadRecord {
  /// Refuses a name that no head is to be given.
  /// - Throws: `usage`.
  package static func requireName(_ name: String) throws {
    try requireLength(of: name)
    try requirePlainName(name, of: "head")
  }

  /// Refuses a name that is no key.
  /// - Throws: `usage`.
  static func requireLength(of name: String) throws {
    guard (1...nameLimit).contains(name.utf8.count) else {
      throw Fault(
        .usage, "head \"\(name)\"", "needs a name of 1 to \(nameLimit) bytes", remedy: "choose a shorter name"
      )
    }
  }
}
