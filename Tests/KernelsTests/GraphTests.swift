import Kernels
import Randomness
import Testing

private let sets = instructionSets

/// Vertices around some centres, each with edges to its nearest ones, and the records that a search reads.
private final class SmallGraph {
  let width: Int
  let count: Int
  let vectors: [[Float]]
  private(set) var steps: [Int8] = []
  private(set) var step: [Float] = []
  private(set) var neighbours: [[UInt32]] = []
  private let perBlock = 7
  private var blocks: [UnsafePointer<UInt8>?] = []
  private let records: UnsafeMutablePointer<UInt8>
  private let entries: UnsafeMutablePointer<UInt8>
  private let centre: [Float]

  /// - Parameters:
  ///   - spread: of vectors around their centres.
  ///   - edges: where those of a vertex lead; nil for its nearest others.
  init(
    width: Int, count: Int, seed: UInt64, centres: Int = 5, spread: Float = 0.7,
    edges: ((UInt32) -> [UInt32])? = nil
  ) {
    var generator = SeededGenerator(seed: seed)
    func unit(_ vector: [Float]) -> [Float] {
      let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return vector.map { $0 / norm }
    }
    let middles = (0..<centres).map { _ in (0..<width).map { _ in Float(generator.normal()) } }
    let vectors = (0..<count).map {
      unit(middles[$0 % centres].map { $0 + spread * Float(generator.normal()) })
    }
    self.vectors = vectors
    self.width = width
    self.count = count
    centre = vectors[0].indices.map { place in vectors.reduce(0) { $0 + $1[place] } / Float(count) }
    let byteCount = kernels_vertex_bytes(width)
    records = Self.zeros(count * byteCount)
    entries = Self.zeros(kernels_group_bytes(width))
    for vector in vectors {
      var numbers = [Int8](repeating: 0, count: width)
      step.append(kernels_vertex_steps(width, vector, &numbers))
      steps += numbers
    }
    var scratch = [Float](repeating: 0, count: 2 * width)
    withSet { set in
      for vertex in 0..<UInt32(count) {
        let others = (0..<UInt32(count)).filter { $0 != vertex }
        let near =
          edges?(vertex)
          ?? others.map { ($0, kernels_vertex_similarity(KERNELS_PORTABLE, &set, vertex, $0)) }
          .sorted { $0.1 > $1.1 }.prefix(32).map(\.0)
        neighbours.append(near)
        kernels_write_vertex(
          &set, vertex, 1000 + vertex, near, near.count, &scratch, records + Int(vertex) * byteCount)
      }
      for slot in 0..<5 {
        kernels_encode_vertex(&set, UInt32(slot), centre, &scratch, entries, slot)
      }
    }
    for block in 0..<(count + perBlock - 1) / perBlock {
      blocks.append(UnsafePointer(records + block * perBlock * byteCount))
    }
  }

  deinit {
    records.deallocate()
    entries.deallocate()
  }

  private static func zeros(_ count: Int) -> UnsafeMutablePointer<UInt8> {
    UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 64)
      .initializeMemory(as: UInt8.self, repeating: 0, count: count)
  }

  func withSet<Result>(_ body: (inout kernels_vertex_set) -> Result) -> Result {
    steps.withUnsafeBufferPointer { steps in
      step.withUnsafeBufferPointer { step in
        var set = kernels_vertex_set(width: width, steps: steps.baseAddress, step: step.baseAddress)
        return body(&set)
      }
    }
  }

  func bytes(of vertex: Int) -> UnsafeBufferPointer<UInt8> {
    let byteCount = kernels_vertex_bytes(width)
    return UnsafeBufferPointer(start: records + vertex * byteCount, count: byteCount)
  }

  /// - Parameters:
  ///   - isLazy: whether the search has to ask for every block.
  ///   - lostAfter: visits of a search for another query that is given up before, in the same memory.
  func search(
    _ isa: kernels_isa, _ query: [Float], k: Int, reach: Float, farReach: Float = .infinity,
    range: Float = .infinity, leastShare: Float = 0, visitLimit: Int? = nil, vainLimit: Int? = nil,
    startVisits: Int = 0, startRange: Float = .infinity,
    wanted: [UInt64]? = nil, isLazy: Bool = false, lostAfter: Int? = nil
  ) -> (state: kernels_graph_state, hits: [kernels_graph_hit], visits: Int) {
    let memory = Memory()
    var search = newSearch(memory, k: k, reach: reach)
    search.visit_limit = visitLimit ?? count
    search.vain_limit = vainLimit ?? count
    search.start_visits = startVisits
    search.start_range = startRange
    search.far_reach = farReach
    search.range = range
    search.least_share = leastShare
    if let wanted { search.wanted = UnsafePointer(memory.copy(wanted)) }
    let known = memory.copy(isLazy ? Array(repeating: nil, count: blocks.count) : blocks)
    var graph = graph(memory, blocks: known)
    var ahead = kernels_graph_ahead()
    func run(_ query: [Float]) {
      kernels_begin_graph_search(isa, &graph, query, &search)
      while search.state == KERNELS_GRAPH_RUNNING || search.state == KERNELS_GRAPH_WAITING {
        if search.state == KERNELS_GRAPH_WAITING {
          known[Int(search.missing)] = blocks[Int(search.missing)]
          search.state = KERNELS_GRAPH_RUNNING
        }
        _ = kernels_advance_graph_searches(isa, &graph, &search, 1, &ahead)
      }
    }
    if let lostAfter {
      search.visit_limit = lostAfter
      run(query.map { $0 + 0.01 })
      search.visit_limit = visitLimit ?? count
    }
    run(query)
    let hits = UnsafeBufferPointer(start: search.hits, count: search.hit_count)
    return (search.state, Array(hits), search.visit_count)
  }

  /// What searches for some queries find that take turns, and how many of some pieces of memory were asked for.
  func searchTogether(
    _ isa: kernels_isa, _ queries: [[Float]], k: Int, reach: Float, pieces: Int
  ) -> (rows: [[UInt32]], asked: Int) {
    let memory = Memory()
    var graph = graph(memory, blocks: memory.copy(blocks))
    var searches = queries.map { _ in newSearch(memory, k: k, reach: reach) }
    for place in queries.indices { kernels_begin_graph_search(isa, &graph, queries[place], &searches[place]) }
    let piece: UnsafeMutablePointer<UInt8> = memory.zeros(100)
    let list = memory.copy([UnsafeRawPointer?](repeating: UnsafeRawPointer(piece), count: pieces))
    var ahead = kernels_graph_ahead(pieces: UnsafePointer(list), count: pieces, bytes: 100, asked: 0)
    while kernels_advance_graph_searches(isa, &graph, &searches, searches.count, &ahead) < searches.count {}
    return (
      searches.map { UnsafeBufferPointer(start: $0.hits, count: $0.hit_count).map(\.row) }, ahead.asked
    )
  }

  private func newSearch(_ memory: Memory, k: Int, reach: Float) -> kernels_graph_search {
    var search = kernels_graph_search()
    search.tables = memory.zeros(4 * width)
    search.query = memory.zeros(width)
    search.visited = memory.zeros(count / 64 + 1)
    search.visit_limit = count
    search.vain_limit = count
    search.path = memory.zeros(count)
    search.capacity = 256
    search.estimates = memory.zeros(272)
    search.vertices = memory.zeros(272)
    search.hit_limit = k + 2
    search.hits = memory.zeros(k + 2)
    search.k = k
    search.reach = reach
    search.far_reach = .infinity
    search.range = .infinity
    search.start_range = .infinity
    search.row_limit = UInt32(1000 + count)
    return search
  }

  private func graph(
    _ memory: Memory, blocks: UnsafeMutablePointer<UnsafePointer<UInt8>?>
  ) -> kernels_graph {
    kernels_graph(
      width: width, vertices: UInt32(count), per_block: UInt32(perBlock), blocks: UnsafePointer(blocks),
      entries: UnsafePointer(entries), entry_centre: UnsafePointer(memory.copy(centre)), entry_count: 5)
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

private func product(_ a: [Float], _ b: [Float]) -> Double {
  zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}

@Suite struct GraphKernelTests {
  @Test(arguments: [64, 384, 448])
  func stepsAreWithinHalfOfOneAndSimilaritiesWithinTheirErrors(width: Int) {
    let graph = SmallGraph(width: width, count: 40, seed: 1)
    for vertex in 0..<graph.count {
      for place in 0..<width {
        let rounded = Float(graph.steps[vertex * width + place]) * graph.step[vertex]
        #expect(abs(rounded - graph.vectors[vertex][place]) <= graph.step[vertex] * 0.5001)
      }
    }
    for isa in sets {
      graph.withSet { set in
        for (a, b) in [(0, 1), (3, 8), (39, 2), (5, 5)] {
          let similarity = kernels_vertex_similarity(isa, &set, UInt32(a), UInt32(b))
          #expect(similarity == kernels_vertex_similarity(KERNELS_PORTABLE, &set, UInt32(a), UInt32(b)))
          // Each side is off by the length of half steps in all directions at most, and by far less at random.
          #expect(abs(Double(similarity) - product(graph.vectors[a], graph.vectors[b])) < 0.01)
        }
      }
    }
  }

  @Test func aVectorOfZerosHasNoSteps() {
    var steps = [Int8](repeating: 1, count: 64)
    #expect(kernels_vertex_steps(64, [Float](repeating: 0, count: 64), &steps) == 0)
    #expect(steps.allSatisfy { $0 == 0 })
  }

  @Test func aRecordHoldsCodesNeighboursStepsAndRow() {
    let graph = SmallGraph(width: 128, count: 20, seed: 2)
    for vertex in [0, 7, 19] {
      let record = UnsafeRawBufferPointer(graph.bytes(of: vertex))
      let numbers = (0..<32).map {
        UInt32(littleEndian: record.loadUnaligned(fromByteOffset: 4 * 128 + 256 + 4 * $0, as: UInt32.self))
      }
      #expect(Array(numbers.prefix(19)) == graph.neighbours[vertex])
      #expect(numbers.dropFirst(19).allSatisfy { $0 == .max })
      let own = kernels_group_bytes(128)
      #expect((0..<128).allSatisfy { Int8(bitPattern: record[own + $0]) == graph.steps[vertex * 128 + $0] })
      #expect(record.loadUnaligned(fromByteOffset: own + 128, as: Float.self) == graph.step[vertex])
      #expect(record.loadUnaligned(fromByteOffset: own + 132, as: UInt32.self) == UInt32(1000 + vertex))
      #expect(record.dropFirst(own + 136).allSatisfy { $0 == 0 } && record.count == own + 128 + 64)
    }
  }

  @Test func candidatesAreTheBestOnceInOrder() {
    var list = [kernels_vertex_candidate](repeating: kernels_vertex_candidate(), count: 4)
    var count = 0
    for (similarity, vertex) in [
      (0.5, 7), (0.9, 3), (0.5, 2), (0.5, 7), (0.1, 9), (0.7, 1), (0.2, 4), (0.9, 3),
    ] {
      count = kernels_offer_candidate(&list, count, 4, Float(similarity), UInt32(vertex))
    }
    #expect(count == 4 && list.map(\.vertex) == [3, 1, 2, 7])
  }

  @Test func neighboursLieInDifferentDirectionsFirst() {
    let graph = SmallGraph(width: 64, count: 60, seed: 3)
    for isa in sets {
      graph.withSet { set in
        for vertex in 0..<UInt32(60) {
          let candidates = graph.neighbours[Int(vertex)].map {
            kernels_vertex_candidate(
              similarity: kernels_vertex_similarity(isa, &set, vertex, $0), vertex: $0)
          }
          var chosen = [UInt32](repeating: 0, count: 32)
          var apart = 0
          let count = kernels_choose_neighbours(isa, &set, candidates, candidates.count, &chosen, &apart)
          // By the definition, in plain Swift.
          var expected: [kernels_vertex_candidate] = []
          for candidate in candidates {
            let limit = 1 - (1 - candidate.similarity) / (Float(1.1) * Float(1.1))
            if expected.allSatisfy({
              kernels_vertex_similarity(isa, &set, $0.vertex, candidate.vertex) <= limit
            }) {
              expected.append(candidate)
            }
          }
          let first = expected.map(\.vertex)
          #expect(apart == first.count && Array(chosen.prefix(apart)) == first)
          let rest = candidates.map(\.vertex).filter { !first.contains($0) }
          #expect(Array(chosen[apart..<count]) == Array(rest.prefix(32 - apart)))
        }
      }
    }
  }

  @Test(arguments: [64, 192, 384])
  func aSearchThatGoesFarEnoughFindsTheNearestOnEverySet(width: Int) {
    let graph = SmallGraph(width: width, count: 400, seed: 4)
    let query = zip(graph.vectors[11], graph.vectors[36]).map { ($0 + $1) / 1.5 }
    let truth = graph.vectors.indices.sorted {
      product(graph.vectors[$0], query) > product(graph.vectors[$1], query)
    }
    for isa in sets {
      let (state, hits, visits) = graph.search(isa, query, k: 10, reach: 3)
      #expect(state == KERNELS_GRAPH_FINISHED && hits.count == 12 && visits <= 400)
      #expect(Set(hits.map(\.row)).count == 12)
      #expect(Set(hits.prefix(10).map(\.row)).subtracting(truth.prefix(12).map { UInt32(1000 + $0) }).isEmpty)
      for hit in hits {
        // Steps are exact to some thousandths.
        #expect(abs(Double(hit.similarity) - product(graph.vectors[Int(hit.row) - 1000], query)) < 0.01)
      }
      let near = graph.search(isa, query, k: 10, reach: 0)
      #expect(near.visits < visits)
      #expect(graph.search(isa, query, k: 10, reach: 3, isLazy: true).hits.map(\.row) == hits.map(\.row))
    }
  }

  /// With 4,160 numbers a sum of look-ups is begun anew.
  @Test(arguments: [64, 448, 4160]) func searchesThatTakeTurnsFindWhatEachFindsAlone(width: Int) {
    let graph = SmallGraph(width: width, count: 200, seed: 6)
    let queries = (0..<5).map { graph.vectors[7 * $0] }
    let expected = queries.map { graph.search(KERNELS_PORTABLE, $0, k: 8, reach: 1) }
    for isa in sets {
      for count in [1, 2, 5] {
        let (rows, asked) = graph.searchTogether(isa, Array(queries.prefix(count)), k: 8, reach: 1, pieces: 3)
        #expect(rows == expected.prefix(count).map { $0.hits.map(\.row) })
        #expect(asked == 3)
      }
    }
  }

  @Test func aSearchFindsWantedRowsAlone() {
    let graph = SmallGraph(width: 64, count: 300, seed: 5)
    let even = [UInt64](repeating: 0x5555_5555_5555_5555, count: 1300 / 64 + 1)
    for isa in sets {
      let (state, hits, _) = graph.search(isa, graph.vectors[3], k: 8, reach: 2, wanted: even)
      #expect(state == KERNELS_GRAPH_FINISHED && hits.count == 10 && hits.allSatisfy { $0.row % 2 == 0 })
    }
  }

  @Test func anUnusualSearchGoesFartherOrIsGivenUp() {
    let graph = SmallGraph(width: 64, count: 300, seed: 7)
    let even = [UInt64](repeating: 0x5555_5555_5555_5555, count: 1300 / 64 + 1)
    for isa in sets {
      let query = graph.vectors[3]
      let near = graph.search(isa, query, k: 8, reach: 0)
      let far = graph.search(isa, query, k: 8, reach: 3)
      // It is farther from its neighbours than any query was.
      let unusual = graph.search(isa, query, k: 8, reach: 0, farReach: 3, range: 0)
      #expect(unusual.state == KERNELS_GRAPH_FINISHED && unusual.visits > near.visits)
      #expect(unusual.hits.map(\.row) == far.hits.map(\.row))
      #expect(graph.search(isa, query, k: 8, reach: 0, range: 0).state == KERNELS_GRAPH_LOST)
      // Half of the vertices may be found.
      let usual = graph.search(isa, query, k: 8, reach: 0, farReach: 3, leastShare: 0.01, wanted: even)
      let against = graph.search(isa, query, k: 8, reach: 0, farReach: 3, leastShare: 1, wanted: even)
      #expect(against.state == KERNELS_GRAPH_FINISHED && against.visits > usual.visits)
    }
  }

  @Test func aSearchIsGivenUpWhereItsFirstVisitsAreFarOrThereAreTooMany() {
    let graph = SmallGraph(width: 64, count: 300, seed: 7)
    for isa in sets {
      let query = graph.vectors[3]
      let whole = graph.search(isa, query, k: 8, reach: 1)
      #expect(whole.state == KERNELS_GRAPH_FINISHED && whole.visits > 12)
      // The vector itself is met early: 1 less its similarity is next to 0.
      let near = graph.search(isa, query, k: 8, reach: 1, startVisits: 12, startRange: 0.01)
      #expect(near.state == KERNELS_GRAPH_FINISHED && near.hits.map(\.row) == whole.hits.map(\.row))
      let cut = graph.search(isa, query, k: 8, reach: 1, startVisits: 12, startRange: -0.01)
      #expect(cut.state == KERNELS_GRAPH_LOST && cut.visits == 12)
      // What may not be found is near, too.
      let none = [UInt64](repeating: 0, count: 1300 / 64 + 1)
      let vain = graph.search(
        isa, query, k: 8, reach: 1, startVisits: 12, startRange: 0.01, wanted: none)
      #expect(vain.visits > 12)
      let limited = graph.search(isa, query, k: 8, reach: 1, visitLimit: 10)
      #expect(limited.state == KERNELS_GRAPH_LOST && limited.visits == 10)
    }
  }

  @Test func aSearchIsGivenUpAfterVisitsInVain() {
    let graph = SmallGraph(width: 64, count: 300, seed: 7)
    let none = [UInt64](repeating: 0, count: 1300 / 64 + 1)
    let even = [UInt64](repeating: 0x5555_5555_5555_5555, count: 1300 / 64 + 1)
    for isa in sets {
      func search(
        _ wanted: [UInt64], _ limit: Int?, share: Float = 1
      ) -> (state: kernels_graph_state, visits: Int) {
        let found = graph.search(
          isa, graph.vectors[3], k: 8, reach: 3, farReach: 3, leastShare: share, vainLimit: limit,
          wanted: wanted)
        return (found.state, found.visits)
      }
      #expect(search(none, 12) == (KERNELS_GRAPH_LOST, 13))
      let all = search(even, nil)
      let half = search(even, 20)
      #expect(all.state == KERNELS_GRAPH_FINISHED && half.state == KERNELS_GRAPH_LOST)
      #expect((30...60).contains(half.visits) && half.visits < all.visits)
      // As many match as usual.
      #expect(search(even, 20, share: 0.2).state == KERNELS_GRAPH_FINISHED)
    }
  }

  /// The mean of equal estimates may be rounded to above them, and must not have all of them forgotten.
  @Test func equalVerticesAreAllVisited() {
    let graph = SmallGraph(
      width: 64, count: 400, seed: 8, centres: 1, spread: 0,
      edges: { vertex in (1...32).map { (vertex + $0 * 11) % 400 } })
    var generator = SeededGenerator(seed: 9)
    for _ in 0..<60 {
      let near = graph.vectors[0].map { $0 + 0.05 * Float(generator.normal()) }
      let norm = Float(product(near, near)).squareRoot()
      let query = near.map { $0 / norm }
      for isa in sets {
        let (state, hits, visits) = graph.search(isa, query, k: 10, reach: 3)
        #expect(state == KERNELS_GRAPH_FINISHED && hits.count == 12 && visits == 400)
      }
    }
  }

  @Test(arguments: [12, 13]) func aSearchIsGivenUpAfterItsLastVisit(limit: Int) {
    let graph = SmallGraph(width: 64, count: 300, seed: 6)
    for isa in sets {
      let (state, _, visits) = graph.search(isa, graph.vectors[3], k: 8, reach: 3, visitLimit: limit)
      #expect(state == KERNELS_GRAPH_LOST && visits == limit)
      // The next search knows nothing of it.
      let alone = graph.search(isa, graph.vectors[3], k: 8, reach: 3)
      let after = graph.search(isa, graph.vectors[3], k: 8, reach: 3, lostAfter: limit)
      #expect(after.visits == alone.visits && after.hits.map(\.row) == alone.hits.map(\.row))
    }
  }
}
