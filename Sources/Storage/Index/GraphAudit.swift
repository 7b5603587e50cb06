import Faults
import Glibc
import Kernels

extension Audit {
  /// Compares the graph of a space with what it would be: vertices follow from vectors and rotation, and codes from
  /// vertices. Which edges there are is not compared.
  mutating func readGraph(of transaction: borrowing Transaction, _ space: SpaceRecord) {
    let subject = "the graph of space \"\(space.name)\""
    do {
      if let problem = try graphProblem(of: space, transaction) { reportDerived(subject, problem) }
    } catch {
      reportDerived(subject, (error as? Fault)?.problem ?? "cannot be read: \(error)")
    }
  }
}

/// What is wrong with a space's graph; nil where nothing is, or where there is none.
/// - Throws: `badData` for what cannot be read.
func graphProblem(of space: SpaceRecord, _ transaction: borrowing Transaction) throws -> String? {
  guard let value = try transaction.get(.indexes, GraphRecord.key(of: space.id)),
    let trees = transaction.trees
  else { return nil }
  let record = try GraphRecord(decoding: value, space: space)
  let graph = try StoredGraph(
    record, of: space, rowLimit: transaction.counter(.nextRow), RecordReader(trees))
  let live = try transaction.rowSet(.inGraph(space: space.id))
  guard live.subtracting(try transaction.rowSet(.space(space.id))).isEmpty else {
    return "has rows without a vector"
  }
  return try VertexComparison(graph, live: live).problem()
}

/// Records of vertices made anew and compared with stored ones.
private final class VertexComparison {
  private let graph: StoredGraph
  private let width: Int
  private let byteCount: Int
  private var missing: RowSet
  private let live: RowSet
  private let blocks: [UnsafeRawPointer]
  /// [vertices, width]
  private let steps: UnsafeMutablePointer<Int8>
  private let step: UnsafeMutablePointer<Float>
  private let scratch: UnsafeMutablePointer<Float>
  private let fresh: UnsafeMutableRawPointer

  init(_ graph: StoredGraph, live: RowSet) throws {
    self.graph = graph
    self.live = live
    missing = live
    width = graph.width
    byteCount = graph.vertexLayout.itemByteCount
    blocks = try (0..<graph.blockCount).map { number in
      guard let base = try graph.vertices(ofBlock: number, isVerified: true)?.baseAddress else {
        throw damagedGraph(
          of: graph.space, "block \(number) of its vertices is missing or does not match its checksum")
      }
      return base
    }
    let count = graph.record.vertexCount
    steps = .allocate(capacity: count * width)
    step = .allocate(capacity: count)
    scratch = .allocate(capacity: 2 * width)
    fresh = .allocate(byteCount: byteCount, alignment: 64)
    for vertex in 0..<count {
      let own = record(of: vertex) + kernels_group_bytes(width)
      UnsafeMutableRawPointer(steps + vertex * width).copyMemory(from: own, byteCount: width)
      step[vertex] = own.loadUnaligned(fromByteOffset: width, as: Float.self)
    }
  }

  deinit {
    steps.deallocate()
    step.deallocate()
    scratch.deallocate()
    fresh.deallocate()
  }

  func problem() throws -> String? {
    for vertex in 0..<graph.record.vertexCount {
      let stored = record(of: vertex)
      let row = Row(
        littleEndian: stored.loadUnaligned(
          fromByteOffset: kernels_group_bytes(width) + width + 4, as: Row.self))
      if !isWritten(vertex, row: row, as: stored) {
        return "has other codes of vertex \(vertex) than its neighbours' vectors"
      }
      guard live.contains(row) else { continue }
      guard missing.contains(row) else { return "has two vertices of cell \(row)" }
      missing.remove(row)
      if try !isVector(of: row, vertex) { return "has another vector of cell \(row) than the space" }
    }
    if !areEntriesWritten() { return "has other codes to begin with than its vertices" }
    return missing.isEmpty ? nil : "lacks \(cellRanges(missing))"
  }

  private func record(of vertex: Int) -> UnsafeRawPointer {
    let perBlock = graph.vertexLayout.itemsPerBlock
    return blocks[vertex / perBlock] + vertex % perBlock * byteCount
  }

  private var set: kernels_vertex_set {
    kernels_vertex_set(width: width, steps: UnsafePointer(steps), step: UnsafePointer(step))
  }

  /// The vertices that a group's codes are of, up to the first that is none; nil when one is out of range.
  private func vertices(of group: UnsafeRawPointer) -> [UInt32]? {
    var found: [UInt32] = []
    for slot in 0..<KERNELS_GROUP_CODES {
      let vertex = UInt32(
        littleEndian: group.loadUnaligned(
          fromByteOffset: 4 * width + 8 * KERNELS_GROUP_CODES + 4 * slot, as: UInt32.self))
      if vertex == .max { break }
      guard vertex < graph.record.vertexCount else { return nil }
      found.append(vertex)
    }
    return found
  }

  private func isWritten(_ vertex: Int, row: Row, as stored: UnsafeRawPointer) -> Bool {
    guard let neighbours = vertices(of: stored) else { return false }
    var set = set
    kernels_write_vertex(
      &set, UInt32(vertex), row, neighbours, neighbours.count, scratch,
      fresh.assumingMemoryBound(to: UInt8.self))
    return memcmp(stored, fresh, byteCount) == 0
  }

  private func isVector(of row: Row, _ vertex: Int) throws -> Bool {
    let vectors = try graph.vectors(ofBlock: Int(graph.vectorLayout.block(of: row)))
    let start = graph.vectorLayout.slot(of: row) * graph.vectorLayout.vectorByteCount
    guard start + graph.vectorLayout.vectorByteCount <= vectors.count, let base = vectors.baseAddress else {
      return false
    }
    graph.codeSpace.rotateUnit(of: base + start, graph.space.scalar, into: scratch)
    let rounded = fresh.assumingMemoryBound(to: Int8.self)
    return kernels_vertex_steps(width, scratch, rounded).bitPattern == step[vertex].bitPattern
      && memcmp(rounded, steps + vertex * width, width) == 0
  }

  private func areEntriesWritten() -> Bool {
    guard let stored = graph.entries.baseAddress, let centre = graph.entryCentre.baseAddress else {
      return false
    }
    let groupByteCount = kernels_group_bytes(width)
    var set = set
    for first in stride(from: 0, to: graph.record.entryCount, by: KERNELS_GROUP_CODES) {
      let group = stored + first / KERNELS_GROUP_CODES * groupByteCount
      memset(fresh, 0, groupByteCount)
      guard let vertices = vertices(of: group) else { return false }
      let count = min(KERNELS_GROUP_CODES, graph.record.entryCount - first)
      guard vertices.count >= count else { return false }
      for slot in 0..<count {
        kernels_encode_vertex(
          &set, vertices[slot], centre, scratch, fresh.assumingMemoryBound(to: UInt8.self), slot)
      }
      if memcmp(group, fresh, groupByteCount) != 0 { return false }
    }
    return true
  }
}
