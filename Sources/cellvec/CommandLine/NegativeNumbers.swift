/// A command line in which each negative number that follows the name of an option belongs to it, as in
/// `--learning-rate=-1`: ArgumentParser takes all that begins with a minus for an option, and would miss the value.
func joiningNegativeNumbers(_ arguments: some Sequence<String>) -> [String] {
  var joined: [String] = []
  var isName = false
  var areOptionsOver = false
  for argument in arguments {
    if isName, isNegativeNumber(argument) {
      joined[joined.count - 1] += "=\(argument)"
      isName = false
      continue
    }
    areOptionsOver = areOptionsOver || argument == "--"
    isName =
      !areOptionsOver && argument.hasPrefix("-") && argument.count > 1 && !argument.contains("=")
      && !isNegativeNumber(argument)
    joined.append(argument)
  }
  return joined
}

/// Whether a text begins as a negative number does; a list of several may go on.
func isNegativeNumber(_ text: String) -> Bool {
  guard text.hasPrefix("-"), let next = text.dropFirst().first else { return false }
  return next.isASCII && (next.isNumber || next == ".")
}
