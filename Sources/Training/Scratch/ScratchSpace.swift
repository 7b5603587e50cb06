import Faults
import Glibc

/// Where tables lie that grow with the samples: in files without a name, mapped into memory, whose pages the system
/// writes out and reads again as it sees fit. What a process needs of its own then does not grow with the samples.
enum ScratchSpace {
  /// Bytes of the largest table that lies in memory of the process. The program never sets it: it is a task's own so that a
  /// test can have the tables of a whole training mapped, beside other tests. Threads of `concurrentMap` have that of their
  /// caller.
  @TaskLocal static var memoryLimit = 1 << 20

  /// The folder that TMPDIR names, else /var/tmp, which is on a disk where /tmp may be memory.
  static var folder: String {
    guard let given = getenv("TMPDIR"), given.pointee != 0 else { return "/var/tmp" }
    return String(cString: given)
  }

  /// Maps zeros that only this process sees. All of their room on the disk is taken at once: a disk that is full later
  /// cannot end the process.
  ///
  /// - Throws: `inputOutput` for a folder that takes no file, or has no room for one of this size.
  static func map(byteCount: Int, in folder: String = folder) throws(Fault) -> UnsafeMutableRawPointer {
    let file = open(folder)
    guard file >= 0 else { throw fault(folder, byteCount, errno) }
    defer { close(file) }
    var code: Int32
    repeat { code = posix_fallocate(file, 0, byteCount) } while code == EINTR
    guard code == 0 else { throw fault(folder, byteCount, code) }
    guard let start = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), start != MAP_FAILED
    else { throw fault(folder, byteCount, errno) }
    return start
  }

  /// A new file without a name, or -1 with a reason in `errno`.
  private static func open(_ folder: String) -> CInt {
    // O_TMPFILE, a macro that Swift does not see: such a file never has a name that a killed process could leave.
    let unnamed = 0o20_000_000 | O_DIRECTORY
    let file = Glibc.open(folder, unnamed | O_RDWR | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR)
    if file >= 0 { return file }
    return openNamed(folder)
  }

  /// The same on file systems that know no such files.
  static func openNamed(_ folder: String) -> CInt {
    // Not mkstemp: what it opens goes on to programs that another thread starts.
    var file: CInt
    repeat {
      let path = "\(folder)/cellvec-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
      file = Glibc.open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR)
      if file >= 0 { unlink(path) }
    } while file < 0 && errno == EEXIST
    return file
  }

  private static func fault(_ folder: String, _ byteCount: Int, _ code: Int32) -> Fault {
    Fault(
      .inputOutput, folder,
      "cannot hold \(byteCount) bytes of intermediate results: \(String(cString: strerror(code)).lowercased())",
      remedy: "name a folder with room for them in TMPDIR")
  }
}
