import Clmdb
import Dispatch

/// Lets the disk begin with what is being written to a data file while it is being written, from `init` to `deinit`.
///
/// LMDB hands the pages of a commit to the system one after another, and then waits for the disk to take them: by itself
/// the disk has nothing to do meanwhile, and then the processor. Nothing depends on it. The page that makes a commit count
/// is written when those that it leads to are durable, whoever began with them, as always.
struct EarlyWriting: ~Copyable {
  private static let interval = DispatchTimeInterval.microseconds(500)

  private let end = DispatchSemaphore(value: 0)

  init(to file: PageFile) {
    DispatchQueue.global().async { [end] in
      // A thread that comes late finds the end, and is waited for by nobody.
      repeat { file.startWriting() } while end.wait(timeout: .now() + Self.interval) == .timedOut
    }
  }

  deinit { end.signal() }
}
