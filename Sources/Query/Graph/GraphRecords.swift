import Kernels
import Storage

/// The records of a graph under construction, in memory.
///
/// Threads may write the records of different vertices.
final class GraphRecords: @unchecked Sendable {
  /// Vertices that searches may begin with, of the square root of all. Four times as many spare a search of 100,000 vectors
  /// two visits of twenty, and take longer to compare with.
  private static let entriesPerRoot = 1.25
  private static let entryLimit = 2048

  private let table: VertexTable
  private let layout: IndexBlockLayout
  private let records: UnsafeMutableRawPointer
  private let blocks: UnsafeMutablePointer<UnsafePointer<UInt8>?>
  let entries: [UInt32]
  /// The groups of the entries' codes, and their centre.
  private let entryGroups: UnsafeMutableRawPointer
  private let entryCentre: UnsafeMutablePointer<Float>
  private let entryByteCount: Int

  /// Records are written later.
  init(of table: VertexTable, dimension: Int) {
    self.table = table
    layout = IndexBlockLayout(.vertices, width: table.width)
    records = .allocate(byteCount: table.count * layout.itemByteCount, alignment: 64)
    let blockCount = (table.count + layout.itemsPerBlock - 1) / layout.itemsPerBlock
    blocks = .allocate(capacity: blockCount)
    for block in 0..<blockCount {
      let base = records + block * layout.itemsPerBlock * layout.itemByteCount
      blocks[block] = UnsafePointer(base.assumingMemoryBound(to: UInt8.self))
    }
    let wanted = Int((Self.entriesPerRoot * Double(table.mainCount).squareRoot()).rounded(.up))
    let count = min(wanted, Self.entryLimit, StoredGraph.entryLimit(dimension: dimension))
    entries = (0..<count).map { UInt32((2 * $0 + 1) * table.mainCount / (2 * count)) }
    let groupByteCount = kernels_group_bytes(table.width)
    entryByteCount = (count + KERNELS_GROUP_CODES - 1) / KERNELS_GROUP_CODES * groupByteCount
    entryGroups = .allocate(byteCount: entryByteCount, alignment: 64)
    entryGroups.initializeMemory(as: UInt8.self, repeating: 0, count: entryByteCount)
    entryCentre = .allocate(capacity: table.width)
    entryCentre.initialize(repeating: 0, count: table.width)
    encodeEntries(groupByteCount: groupByteCount)
  }

  deinit {
    records.deallocate()
    blocks.deallocate()
    entryGroups.deallocate()
    entryCentre.deallocate()
  }

  private func encodeEntries(groupByteCount: Int) {
    let scratch = UnsafeMutablePointer<Float>.allocate(capacity: table.width)
    for entry in entries {
      table.widen(Int(entry), into: scratch)
      for index in 0..<table.width { entryCentre[index] += scratch[index] / Float(entries.count) }
    }
    var set = table.set
    for (place, entry) in entries.enumerated() {
      let group = entryGroups + place / KERNELS_GROUP_CODES * groupByteCount
      kernels_encode_vertex(
        &set, entry, entryCentre, scratch, group.assumingMemoryBound(to: UInt8.self),
        place % KERNELS_GROUP_CODES)
    }
    scratch.deallocate()
  }

  /// Writes the records of some vertices.
  func write(_ vertices: Range<Int>, _ edges: GraphEdges, threads: Int) {
    inLanes(threads, of: vertices.count) { _, share in
      let scratch = UnsafeMutablePointer<Float>.allocate(capacity: 2 * table.width)
      for place in share { write(vertices.lowerBound + place, edges, scratch) }
      scratch.deallocate()
    }
  }

  /// The same for vertices in no order.
  func write(_ vertices: some Sequence<UInt32>, _ edges: GraphEdges) {
    let scratch = UnsafeMutablePointer<Float>.allocate(capacity: 2 * table.width)
    for vertex in vertices { write(Int(vertex), edges, scratch) }
    scratch.deallocate()
  }

  private func write(_ vertex: Int, _ edges: GraphEdges, _ scratch: UnsafeMutablePointer<Float>) {
    var set = table.set
    let neighbours = edges.edges(of: vertex)
    kernels_write_vertex(
      &set, UInt32(vertex), table.rows[vertex], neighbours.baseAddress, neighbours.count, scratch,
      (records + vertex * layout.itemByteCount).assumingMemoryBound(to: UInt8.self))
  }

  /// The graph of the first vertices, whose records are written.
  func graph(vertices: Int) -> kernels_graph {
    kernels_graph(
      width: table.width, vertices: UInt32(vertices), per_block: UInt32(layout.itemsPerBlock),
      blocks: UnsafePointer(blocks),
      entries: UnsafePointer(entryGroups.assumingMemoryBound(to: UInt8.self)),
      entry_centre: UnsafePointer(entryCentre), entry_count: entries.count)
  }

  /// Stores all records, which nobody sees yet, in transactions of bounded size.
  func store(in space: SpaceRecord, segment: UInt32, _ writer: DatabaseWriter) throws {
    let width = table.width
    try writer.write(durable: .withNext) {
      try $0.putIndexBlocks(
        UnsafeRawBufferPointer(start: entryCentre, count: 4 * width), from: 0,
        IndexBlockLayout(.centres, width: width), segment: segment, of: space)
      try $0.putIndexBlocks(
        UnsafeRawBufferPointer(start: entryGroups, count: entryByteCount), from: 0,
        IndexBlockLayout(.entries, width: width), segment: segment, of: space)
    }
    let perCommit = 64 * layout.itemsPerBlock
    for start in stride(from: 0, to: table.count, by: perCommit) {
      let count = min(perCommit, table.count - start)
      let items = UnsafeRawBufferPointer(
        start: records + start * layout.itemByteCount, count: count * layout.itemByteCount)
      try writer.write(durable: .withNext) {
        try $0.putIndexBlocks(
          items, from: start / layout.itemsPerBlock, layout, segment: segment, of: space)
      }
    }
  }
}
