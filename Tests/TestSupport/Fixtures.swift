<<<<<<< HEAD
/// The path of a committed fixture, such as "training/scores.json".
package func fixturePath(_ name: String) -> String {
  let folder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(
    separator: "/")
  return "\(folder)/Fixtures/\(name)"
=======
/// The path of a committed file under Tests/Fixtures.
package func fixturePath(_ name: String) -> String {
  let here = #filePath.split(separator: "/", omittingEmptySubsequences: false)
  return here.dropLast(2).joined(separator: "/") + "/Fixtures/" + name
>>>>>>> tools
}
