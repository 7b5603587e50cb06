import Faults

/// A fault is one line that can be read.
func checkSentence(_ error: any Error) {
  guard let fault = error as? Fault else { fatalError("not a fault: \(error)") }
  let text = fault.description
  guard text.utf8.count < 4_000, !text.utf8.contains(UInt8(ascii: "\n")) else { fatalError("no sentence: \(text)") }
}
