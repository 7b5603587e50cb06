import Glibc
import Synchronization

/// The unfinished files of this process, which a signal that ends it removes.
///
/// Ctrl-C, a closed terminal and `kill` (SIGINT, SIGHUP, SIGTERM) end a process between any two instructions, and no `deinit`
/// runs. What handles the signal may neither allocate nor lock: it finds the names in a table of fixed size. A process that
/// ends by other signals, such as SIGQUIT and SIGKILL, leaves its files to the next that writes the same ones.
package enum UnfinishedFiles {
  /// Files beyond these are not noted.
  private static let limit = 256
  private static let folderLimit = 16
  private static let signals = [SIGINT, SIGTERM, SIGHUP]

  /// Addresses of the names, 0 where a place is free.
  fileprivate static let places = Places(count: limit)
  fileprivate static let folders = Places(count: folderLimit)
  fileprivate static let isEnding = Atomic(false)

  /// Lets the signal, when it comes next, remove the files before it ends the process. What handles a signal may call this
  /// once `prepare` has been called.
  package static func end(at signal: Int32) {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { number in
      UnfinishedFiles.removeAll()
      Glibc.signal(number, SIG_DFL)
      // It is blocked until this returns.
      var set = sigset_t()
      sigemptyset(&set)
      sigaddset(&set, number)
      pthread_sigmask(SIG_UNBLOCK, &set, nil)
      raise(number)
      // The first process of a container does not end by a signal that it does not handle.
      _exit(128 + number)
    }
    sigaction(signal, &action, nil)
  }

  /// Makes what a handler of signals must not be the first to touch.
  package static func prepare() {
    _ = places
    _ = folders
    // Only read: a handler may be at work on another thread by now.
    _ = isEnding.load(ordering: .relaxed)
  }

  /// Notes a file that this process has made.
  /// - Returns: its place, for `forget`; nil where there is none.
  static func note(_ path: String) -> Int? { note(path, in: places) }

  /// Notes a folder that this process has made, after the one in which it lies: the signal removes it, too, where nothing is in
  /// it. A folder is noted for as long as the process lives, and those beyond `folderLimit` are not.
  package static func noteFolder(_ path: String) { _ = note(path, in: folders) }

  private static func note(_ path: String, in places: Places) -> Int? {
    guard let name = strdup(path) else { return nil }
    guard let place = places.fill(with: UInt(bitPattern: name)) else {
      free(name)
      return nil
    }
    _ = signalsAreHandled
    return place
  }

  /// - Parameter place: of a file that is finished or gone.
  static func forget(_ place: Int) {
    let name = places.empty(place)
    // A handler that runs beside this may still read the name.
    if !isEnding.load(ordering: .sequentiallyConsistent) { free(UnsafeMutableRawPointer(bitPattern: name)) }
  }

  private static func removeAll() {
    isEnding.store(true, ordering: .sequentiallyConsistent)
    for place in 0..<limit {
      if let name = UnsafePointer<CChar>(bitPattern: places[place]) { unlink(name) }
    }
    for place in (0..<folderLimit).reversed() {
      if let name = UnsafePointer<CChar>(bitPattern: folders[place]) { rmdir(name) }
    }
  }

  /// Signals that somebody else handles or ignores stay with them.
  private static let signalsAreHandled: Void = {
    prepare()
    for signal in signals {
      var action = sigaction()
      sigaction(signal, nil, &action)
      if action.__sigaction_handler.sa_handler == nil { end(at: signal) }
    }
  }()
}

/// Numbers that threads and handlers of signals read and write without a lock.
private struct Places: @unchecked Sendable {
  // Unchecked: the memory is shared for as long as the process lives, and is read and written by atomic operations alone.
  private let numbers: UnsafeMutablePointer<Atomic<UInt>>
  private let count: Int

  init(count: Int) {
    self.count = count
    numbers = .allocate(capacity: count)
    for place in 0..<count { (numbers + place).initialize(to: Atomic(0)) }
  }

  subscript(place: Int) -> UInt { numbers[place].load(ordering: .sequentiallyConsistent) }

  /// - Returns: the place that was free; nil where none was.
  func fill(with number: UInt) -> Int? {
    (0..<count).first {
      numbers[$0].compareExchange(expected: 0, desired: number, ordering: .sequentiallyConsistent).exchanged
    }
  }

  func empty(_ place: Int) -> UInt { numbers[place].exchange(0, ordering: .sequentiallyConsistent) }
}
