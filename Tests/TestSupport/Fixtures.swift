/// The path of a committed file under Tests/Fixtures.
package func fixturePath(_ name: String) -> String {
  let here = #filePath.split(separator: "/", omittingEmptySubsequences: false)
  return here.dropLast(2).joined(separator: "/") + "/Fixtures/" + name
}
