/// Says on the standard output why a test checks nothing on this machine; the test then returns.
///
///     guard hasWeights else { return skip("no weights at \(path)") }
package func skip(_ reason: String, test: StaticString = #function) {
  print("skipped: \(test): \(reason)")
}
