import Kernels

/// A sound graph of some vertices around three centres, with edges to their nearest others.
private struct SmallGraph {
  static let width = 64
  static let count = 120
  static let perBlock = 16
  static let rowLimit: UInt32 = 128
  static let byteCount = kernels_vertex_bytes(width)

  var records = [UInt8](repeating: 0, count: count * byteCount)
  var entries = [UInt8](repeating: 0, count: kernels_group_bytes(width))
  let vectors: [[Float]]
  let centre = [Float](repeating: 0, count: width)

  init() {
    var state: UInt64 = 1
    func next() -> Float {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(state >> 40) / Float(1 << 24) - 0.5
    }
    let centres = (0..<3).map { _ in (0..<Self.width).map { _ in next() } }
    vectors = (0..<Self.count).map { vertex in
      let vector = centres[vertex % 3].map { $0 + 0.5 * next() }
      let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return vector.map { $0 / norm }
    }
    var steps = [Int8](repeating: 0, count: Self.count * Self.width)
    let step = (0..<Self.count).map { vertex in
      steps.withUnsafeMutableBufferPointer {
        kernels_vertex_steps(Self.width, vectors[vertex], $0.baseAddress! + vertex * Self.width)
      }
    }
    var scratch = [Float](repeating: 0, count: 2 * Self.width)
    var set = kernels_vertex_set(width: Self.width, steps: nil, step: nil)
    steps.withUnsafeBufferPointer { steps in
      step.withUnsafeBufferPointer { step in
        (set.steps, set.step) = (steps.baseAddress, step.baseAddress)
        for vertex in 0..<UInt32(Self.count) {
          let near = (0..<UInt32(Self.count)).filter { $0 != vertex }
            .map { (-kernels_vertex_similarity(KERNELS_PORTABLE, &set, vertex, $0), $0) }
            .sorted { $0 < $1 }.prefix(32).map(\.1)
          records.withUnsafeMutableBufferPointer {
            kernels_write_vertex(
              &set, vertex, vertex, near, near.count, &scratch, $0.baseAddress! + Int(vertex) * Self.byteCount)
          }
        }
        for slot in 0..<8 { kernels_encode_vertex(&set, UInt32(slot), centre, &scratch, &entries, slot) }
      }
    }
  }
}

private let sound = SmallGraph()

/// The input is a list of changes to a graph's records and entries, of 8 bytes each: place u32 and the 4 bytes that are
/// written there. Searches then must end, stay in their memory, and find rows that they may find.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let start else { return 0 }
  let input = UnsafeRawBufferPointer(start: start, count: count)
  let memory = Memory()
  // Each block in memory of its own, so that the sanitizer sees a read behind its end.
  let blockByteCount = SmallGraph.perBlock * SmallGraph.byteCount
  var blocks: [UnsafeMutablePointer<UInt8>] = stride(from: 0, to: sound.records.count, by: blockByteCount).map {
    memory.copy(Array(sound.records[$0..<min($0 + blockByteCount, sound.records.count)]))
  }
  blocks.append(memory.copy(sound.entries))
  let byteCount = sound.records.count + sound.entries.count
  for offset in stride(from: 0, to: count - 7, by: 8) {
    let place = Int(input.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) % byteCount
    for byte in 0..<min(4, byteCount - place) {
      let place = place + byte
      let isRecord = place < sound.records.count
      let block = isRecord ? blocks[place / blockByteCount] : blocks[blocks.count - 1]
      block[isRecord ? place % blockByteCount : place - sound.records.count] = input[offset + 4 + byte]
    }
  }
  for isa in [KERNELS_PORTABLE, kernels_active_isa()] {
    for query in [0, 50] { search(isa, blocks, sound.vectors[query], memory) }
  }
  return 0
}

private func search(
  _ isa: kernels_isa, _ blocks: [UnsafeMutablePointer<UInt8>], _ query: [Float], _ memory: Memory
) {
  let (width, count) = (SmallGraph.width, SmallGraph.count)
  let wanted: [UInt64] = [0x7777_7777_7777_7777, 0x7777_7777_7777_7777]
  var search = kernels_graph_search()
  search.tables = memory.zeros(4 * width)
  search.query = memory.zeros(width)
  search.visited = memory.zeros(count / 64 + 1)
  search.visit_limit = count
  search.vain_limit = 10
  search.start_visits = 8
  search.start_range = 0.9
  search.path = memory.zeros(count)
  search.capacity = 256
  search.estimates = memory.zeros(272)
  search.vertices = memory.zeros(272)
  search.hit_limit = 12
  search.hits = memory.zeros(12)
  search.k = 10
  search.reach = 1
  search.far_reach = 2
  search.range = 0.5
  search.least_share = 0.25
  search.row_limit = SmallGraph.rowLimit
  search.wanted = UnsafePointer(memory.copy(wanted))
  let records = memory.copy(blocks.dropLast().map { UnsafePointer<UInt8>?($0) })
  var graph = kernels_graph(
    width: width, vertices: UInt32(count), per_block: UInt32(SmallGraph.perBlock), blocks: UnsafePointer(records),
    entries: UnsafePointer(blocks[blocks.count - 1]), entry_centre: UnsafePointer(memory.copy(sound.centre)),
    entry_count: 8)
  kernels_begin_graph_search(isa, &graph, query, &search)
  var ahead = kernels_graph_ahead()
  while search.state == KERNELS_GRAPH_RUNNING {
    _ = kernels_advance_graph_searches(isa, &graph, &search, 1, &ahead)
  }
  guard search.state == KERNELS_GRAPH_FINISHED || search.state == KERNELS_GRAPH_LOST else { fatalError("it waits") }
  guard search.hit_count <= 12, search.visit_count <= count else { fatalError("too many") }
  for hit in 0..<search.hit_count {
    let row = search.hits[hit].row
    guard row < SmallGraph.rowLimit, wanted[Int(row) / 64] >> UInt64(row % 64) & 1 == 1 else {
      fatalError("row \(row), which may not be found")
    }
  }
}

/// Buffers that live as long as it does, on 64-byte boundaries.
private final class Memory {
  private var parts: [UnsafeMutableRawPointer] = []

  deinit { for part in parts { part.deallocate() } }

  /// - Precondition: `Value` is trivial, and zeros are one.
  func zeros<Value>(_ count: Int) -> UnsafeMutablePointer<Value> {
    let byteCount = count * MemoryLayout<Value>.stride
    let part = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
    part.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    parts.append(part)
    return part.bindMemory(to: Value.self, capacity: count)
  }

  func copy<Value>(_ values: [Value]) -> UnsafeMutablePointer<Value> {
    let target: UnsafeMutablePointer<Value> = zeros(values.count)
    target.update(from: values, count: values.count)
    return target
  }
}
