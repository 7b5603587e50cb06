/// The one error type of cellvec: what went wrong with which thing, what was expected, what was found, and
/// what the reader can do about it.
///
/// Everything that a file, a user or the machine can cause is thrown as a `Fault`; a broken promise between
/// two pieces of our own code is a `precondition`. Rendered, a fault is one line:
///
///     plate3/A01.tif: expected 2 channels, found 1; name the missing one with --channels
package struct Fault: Error, Sendable, Equatable {
  /// The class of a fault decides the exit status of the program (see `ExitStatus` in the command line).
  package enum Kind: String, Sendable, CaseIterable {
    /// An option or expression that cannot be carried out as written.
    case usage
    /// A file or record whose content is not what its format promises.
    case badData
    /// A file, directory, cell, field or space that does not exist.
    case missingInput
    /// A service or file that is needed is out of reach.
    case unavailable
    /// An output that cannot be created.
    case cannotCreate
    /// Reading or writing failed: full disk, device error, missing permission.
    case inputOutput
    /// The database or folder is held by another writer.
    case locked
    /// The run was interrupted on request.
    case cancelled
  }

  package let kind: Kind
  /// The file, field, option or record that the sentence is about.
  package let subject: String
  /// What is wrong with it: "expected 2 channels, found 1".
  package let problem: String
  /// What the reader can do: "name the missing one with --channels". Empty when nothing helps.
  package let remedy: String
  /// Lines that show the place that the sentence is about: a part of a filter with a caret under it. Empty where
  /// there is nothing to show; not part of the sentence.
  package let excerpt: String

  package init(
    _ kind: Kind, _ subject: String, _ problem: String, remedy: String = "", excerpt: String = ""
  ) {
    self.kind = kind
    self.subject = subject
    self.problem = problem
    self.remedy = remedy
    self.excerpt = excerpt
  }

  /// A fault of the commonest shape: something other than the expected was found.
  package init(
    _ kind: Kind, _ subject: String, expected: String, found: String, remedy: String = ""
  ) {
    self.init(kind, subject, "expected \(expected), found \(found)", remedy: remedy)
  }

  /// The same fault, told of a larger thing that contains the subject: `plate.tif` of `page 3`.
  package func within(_ container: String) -> Fault {
    Fault(
      kind, subject.isEmpty ? container : "\(container): \(subject)", problem, remedy: remedy,
      excerpt: excerpt)
  }
}

extension Fault: CustomStringConvertible {
  /// One line without a line break, fit for stderr: control characters, as names of files and fields may have, are
  /// written as escapes, and of a line of more than 900 characters the middle is left out.
  package var description: String {
    let sentence = subject.isEmpty ? problem : "\(subject): \(problem)"
    return shortened(escapingControls(in: remedy.isEmpty ? sentence : "\(sentence); \(remedy)"))
  }
}

/// The beginning and the end of a line that quotes a text of thousands of characters.
private func shortened(_ line: String) -> String {
  let scalars = line.unicodeScalars
  guard scalars.count > 900 else { return line }
  return "\(Substring(scalars.prefix(600)))…\(Substring(scalars.suffix(280)))"
}

/// A text in one line and fit for a terminal: control characters and line breaks, as names of files and texts of cells may
/// have, are written as escapes. The same again for a text that is.
package func escapingControls(in text: String) -> String {
  guard hasControls(text) else { return text }
  var escaped = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\n": escaped += "\\n"
    case "\r": escaped += "\\r"
    case "\t": escaped += "\\t"
    case _ where isControl(scalar): escaped += "\\u{\(String(scalar.value, radix: 16))}"
    default: escaped.unicodeScalars.append(scalar)
    }
  }
  return escaped
}

/// Whether a text has control characters or line breaks.
package func hasControls(_ text: String) -> Bool { text.unicodeScalars.contains(where: isControl) }

/// Whether a terminal takes the character for a command, or breaks the line at it.
private func isControl(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029: true
  default: false
  }
}
