/// Where a user's programs keep one kind of files, with a folder of ours in it; nil when the user has no such place.
///
/// - Parameters:
///   - standard: the environment variable of the XDG Base Directory Specification, which wants relative paths ignored.
///   - fallback: the folder below the home directory that stands for it.
func userFolder(_ standard: String, inHome fallback: String, _ variable: (String) -> String?) -> String? {
  if let folder = variable(standard), folder.hasPrefix("/") { return folder + "/cellvec" }
  return variable("HOME").flatMap { $0.isEmpty ? nil : "\($0)/\(fallback)/cellvec" }
}
