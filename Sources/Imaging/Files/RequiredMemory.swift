import Faults
import Glibc

/// Asks the system for memory that large arrays are about to take, since an array for which there is none ends the program:
/// for planes, masks and the search for nuclei. What others take meanwhile may still be missing.
/// - Parameter purpose: what takes it, for the fault.
/// - Throws: `inputOutput` when there is not so much.
func requireMemory(_ byteCount: Int, for purpose: String, of subject: String) throws {
  if byteCount < 1 << 24 { return }
  // By a map: the compiler leaves out what is allocated and freed at once.
  let flags = MAP_PRIVATE | MAP_ANONYMOUS
  guard let memory = mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0), memory != MAP_FAILED else {
    throw Fault(
      .inputOutput, subject, "not enough memory for \(purpose): \(byteCount >> 20) MiB are wanted",
      remedy: "free some memory, raise the limit of it (ulimit -v), or cut the image into tiles")
  }
  munmap(memory, byteCount)
}
