/// The path of a committed fixture, such as "training/scores.json".
package func fixturePath(_ name: String) -> String {
  let folder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(
    separator: "/")
  return "\(folder)/Fixtures/\(name)"
}
