// How close a search of a database comes to the speed at which its memory can be read. Run by bench/scan/search.
//
// A round measures everything once; rates are medians over the rounds, by the processor time of the process, in which
// other processes count only for what they take from memory. With two threads the rate is that of both together.
import Glibc
import Identity
import Query
import Randomness
import Reading
import Storage

private let dimension = 384
private let rounds = 9

private func processorSeconds() -> Double {
  var now = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now)
  return Double(now.tv_sec) + 1e-9 * Double(now.tv_nsec)
}

/// A database with a space of each type over the same cells.
private func fill(_ path: String, rowCount: Int) throws {
  let writer = try DatabaseWriter(path: path, create: true)
  let spaces = try writer.write { transaction in
    try ScalarType.allCases.map { try transaction.addSpace(name: $0.rawValue, dimension: dimension, scalar: $0) }
  }
  var generator = SeededGenerator(seed: 1)
  for start in stride(from: 0, to: rowCount, by: 20_000) {
    let count = min(20_000, rowCount - start)
    let vectors = (0..<count * dimension).map { _ in Float(generator.uniform()) - 0.5 }
    try writer.write { transaction in
      let image = try transaction.addImage(
        ImageRecord(identity: ContentHash(of: "\(start)"), name: "", files: [], width: 0, height: 0))
      let rows = try transaction.addCells(
        (0..<count).map { CellRecord(image: image, object: .index(UInt32($0)), geometry: nil) }, of: image)
      for space in spaces {
        try vectors.withUnsafeBufferPointer { try transaction.setVectors($0, of: rows, in: space) }
      }
    }
  }
}

private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

private let query = (0..<dimension).map { Float($0 % 7) - 3 }

/// Measures everything once, with a new map, whose pages are found one by one at first.
private func measure(
  _ snapshot: borrowing Snapshot, _ space: SpaceRecord, into times: inout [String: [Double]]
) throws {
  let rows = try snapshot.rows(in: space)
  var start = processorSeconds()
  for (name, threads) in [("first search,1", 1), ("search,1", 1), ("search,2", 2)] {
    start = processorSeconds()
    _ = try snapshot.nearest(to: query, count: 1, k: 10, in: space, threads: threads)
    times[name, default: []].append((processorSeconds() - start) / Double(threads))
  }
  start = processorSeconds()
  try snapshot.forEachBlock(of: space, containing: rows) { _ in }
  times["blocks without their vectors,1", default: []].append(processorSeconds() - start)
  start = processorSeconds()
  var sum: UInt64 = 0
  try snapshot.forEachBlock(of: space, containing: rows) { block in
    sum ^= read_in_4_streams(block.base, block.slotCount * block.vectorByteCount)
  }
  times["read,1", default: []].append(processorSeconds() - start)
  if sum == 1 { print("a sum that is used") }
}

private func measure(_ path: String, _ scalar: ScalarType) throws {
  var times: [String: [Double]] = [:]
  var byteCount = 0
  for _ in 0..<rounds {
    let database = try Database(path: path)
    byteCount = try database.read { snapshot in
      guard let space = snapshot.space(named: scalar.rawValue) else { return 0 }
      try measure(snapshot, space, into: &times)
      return try snapshot.rows(in: space).count * scalar.byteCount(dimension: dimension)
    }
  }
  let read = Double(byteCount) / median(times["read,1"] ?? []) / 1e9
  for (what, seconds) in times.sorted(by: { $0.key < $1.key }) {
    let rate = Double(byteCount) / median(seconds) / 1e9
    let threads = what.hasSuffix("2") ? 2.0 : 1.0
    print(
      "\(scalar),\(what),\((1e5 * median(seconds)).rounded() / 100),\((10 * rate).rounded() / 10),"
        + "\((100 * rate / threads / read).rounded() / 100)")
  }
}

@main struct SearchBench {
  static func main() throws {
    let path = CommandLine.arguments[1]
    let rowCount = Int(CommandLine.arguments[2]) ?? 500_000
    try fill(path, rowCount: rowCount)
    print("type,what,threads,milliseconds,GB_per_s,share_of_reading_a_thread")
    for scalar in ScalarType.allCases { try measure(path, scalar) }
  }
}
