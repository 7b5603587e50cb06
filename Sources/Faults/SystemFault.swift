import Glibc

extension Fault {
  /// The fault that the C library's `errno` describes, told of `subject`.
  ///
  /// - Parameter action: what was tried, as in "open", "write 4096 bytes".
  package static func system(_ subject: String, _ action: String, errno code: Int32 = errno) -> Fault {
    let reason = String(cString: strerror(code))
    let problem = "cannot \(action): \(reason.lowercased())"
    switch code {
    case ENOENT, ENOTDIR:
      return Fault(.missingInput, subject, problem, remedy: "check the path")
    case EACCES, EPERM, EROFS:
      return Fault(.inputOutput, subject, problem, remedy: "check the permissions of the file and its folder")
    case ENOSPC, EDQUOT:
      return Fault(
        .inputOutput, subject, problem, remedy: "free some disk space and run the same command again")
    default:
      return Fault(.inputOutput, subject, problem)
    }
  }
}
