import Glibc

/// How pages of the file are going to be read, which tells the system how much to fetch from the disk with one that is
/// not in memory.
package enum ReadingOrder: Sendable {
  /// Most of some tables from one end to the other: it fetches ahead, up to megabytes.
  case inOrder
  /// A few pages here and there: it fetches each alone. Reading all of a table so takes ten times as long.
  case scattered
}

/// How those who read a file at the moment do, and what the system was told of it. One file can be told one thing: as long
/// as anybody reads in order, it is that.
struct ExpectedReading {
  private(set) var told = ReadingOrder.inOrder
  private var inOrderCount = 0
  private var scatteredCount = 0

  mutating func begin(_ order: ReadingOrder) { change(order, by: 1) }
  /// - Precondition: `begin` was called with the same order once more than this.
  mutating func end(_ order: ReadingOrder) { change(order, by: -1) }

  private mutating func change(_ order: ReadingOrder, by step: Int) {
    switch order {
    case .inOrder: inOrderCount += step
    case .scattered: scatteredCount += step
    }
    precondition(inOrderCount >= 0 && scatteredCount >= 0)
    // Where nobody reads, the next one decides.
    if inOrderCount > 0 { told = .inOrder } else if scatteredCount > 0 { told = .scattered }
  }
}

/// A run of values that lie one behind the other in a file, taken to be in memory as the first was found to be. Where that is
/// wrong, only time is lost.
struct PresentRun {
  /// Bytes that are taken to be in memory without another look.
  private static let byteLimit = 512 << 10

  private var end = 0
  private var limit = 0

  /// - Parameter place: of a value whose end was found in memory, from the beginning of its first page.
  mutating func begin(behind place: Range<Int>) {
    (end, limit) = (place.upperBound, place.upperBound + Self.byteLimit)
  }

  /// Whether a value follows the last one, on the next page, and is taken to be in memory.
  mutating func advance(over place: Range<Int>, pageSize: Int) -> Bool {
    guard (0..<pageSize).contains(place.lowerBound - end), place.upperBound <= limit else { return false }
    end = place.upperBound
    return true
  }
}

extension Snapshot {
  /// Tells the system that so many vectors of a space are to be read: in order where they are more than a few.
  /// - Returns: what is to be ended when they have been read; nil where nothing was told.
  package func beginVectors(_ count: Int, of space: SpaceRecord) -> ReadingOrder? {
    guard count > space.rowsPerBlock else { return nil }
    transaction.environment.pages.begin(.inOrder)
    return .inOrder
  }

  /// - Parameter order: what `beginVectors` gave.
  package func endVectors(_ order: ReadingOrder?) {
    if let order { transaction.environment.pages.end(order) }
  }
}

/// Has memory of the map fetched from the disk in one piece, as far as it is not there, while the caller goes on.
package func fetch(_ memory: UnsafeRawBufferPointer) {
  guard let base = memory.baseAddress else { return }
  let page = Int(sysconf(Int32(_SC_PAGESIZE)))
  let start = UnsafeMutableRawPointer(mutating: base).alignedDown(toMultipleOf: page)
  // A hint: where it is not taken, only time is lost.
  madvise(start, base + memory.count - UnsafeRawPointer(start), MADV_WILLNEED)
}
