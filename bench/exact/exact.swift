// Exact searches in one process, as compare.py asks for them line by line on stdin:
//
//   exact QUERIES DIMENSION K      QUERIES holds float32 numbers, [count, dimension]
//   one DATABASE                   the first 40 queries, each for itself
//   batch DATABASE                 all queries together
//   read DATABASE                  the vectors, without a search
//
// Each answer is one line: seconds of one query, of all queries, or of reading, by the processor time of the process
// where that is less than the time that went by; then the rows found, by query.
import Glibc
import Query
import Reading
import Storage

private func seconds(_ clock: clockid_t) -> Double {
  var now = timespec()
  clock_gettime(clock, &now)
  return Double(now.tv_sec) + 1e-9 * Double(now.tv_nsec)
}

/// What a process that was alone would take, of one thread.
private func timed(_ body: () throws -> Void) rethrows -> Double {
  let (wall, own) = (seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID))
  try body()
  return min(seconds(CLOCK_MONOTONIC) - wall, seconds(CLOCK_PROCESS_CPUTIME_ID) - own)
}

private func numbers(_ path: String) -> [Float] {
  guard let file = fopen(path, "rb") else { return [] }
  defer { fclose(file) }
  fseek(file, 0, SEEK_END)
  let count = ftell(file) / MemoryLayout<Float>.size
  rewind(file)
  return [Float](unsafeUninitializedCapacity: count) { buffer, size in
    size = fread(buffer.baseAddress, MemoryLayout<Float>.size, count, file)
  }
}

@main struct ExactBench {
  static func main() throws {
    let queries = numbers(CommandLine.arguments[1])
    guard let dimension = Int(CommandLine.arguments[2]), let k = Int(CommandLine.arguments[3]) else { return }
    var databases: [String: Database] = [:]
    while let words = readLine()?.split(separator: " ").map(String.init), words.count == 2 {
      let database = try databases[words[1]] ?? Database(path: words[1])
      databases[words[1]] = database
      try database.read { snapshot in
        guard let space = snapshot.spaces.first else { return }
        print(try answer(words[0], queries, dimension, k, space, snapshot))
        fflush(nil)
      }
    }
  }

  private static func answer(
    _ what: String, _ queries: [Float], _ dimension: Int, _ k: Int, _ space: SpaceRecord,
    _ snapshot: borrowing Snapshot
  ) throws -> String {
    var found: [[Neighbor]] = []
    var spent = 0.0
    switch what {
    case "one":
      var times: [Double] = []
      for start in stride(from: 0, to: min(queries.count, 40 * dimension), by: dimension) {
        let query = Array(queries[start..<start + dimension])
        times.append(
          try timed { found += try snapshot.nearest(to: query, count: 1, k: k, in: space) })
      }
      spent = times.sorted()[times.count / 2]
    case "batch":
      spent = try timed { found = try snapshot.nearest(to: queries, count: queries.count / dimension, k: k, in: space) }
    default:
      var sum: UInt64 = 0
      let rows = try snapshot.rows(in: space)
      spent = try timed {
        try snapshot.forEachBlock(of: space, containing: rows) {
          sum ^= read_in_4_streams($0.base, $0.slotCount * $0.vectorByteCount)
        }
      }
      if sum == 1 { print("a sum that is used") }
    }
    return "\(spent) " + found.joined().map { "\($0.row)" }.joined(separator: " ")
  }
}
