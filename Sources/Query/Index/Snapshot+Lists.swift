import Storage

/// Whether a search goes through the index of lists.
enum ListUse {
  struct Choice {
    let record: IndexRecord
    let calibration: IndexRecord.Calibration
    /// The rows of the index that match.
    let inIndex: RowSet

    /// The share of the index's rows that match.
    var share: Double { min(1, Double(inIndex.count) / Double(max(1, record.rowCount))) }
    /// The rows that may be found, where that are not all that have codes.
    var maskedRows: Int? { inIndex.count < record.rowCount ? inIndex.count : nil }

    /// What a query like the vectors does. Of those that match, k lie as k / share do of all.
    func effort(k: Int) -> IndexRecord.Effort {
      let all = record.effort(calibration, neighbors: Double(k) / max(share, 1e-6))
      let codes = Float(record.rowCount * record.listsPerRow)
      return .init(
        lists: min(all.lists, Float(record.listCount)), codes: min(all.codes, codes),
        rows: min(all.rows, codes) * Float(share))
    }

    /// How many times as much a search does as one for ten neighbors among all, for which starts were measured.
    func scale(k: Int) -> Double {
      guard let recall = record.starts?.recall, let measured = record.calibrations.reaching(recall) else {
        return 1
      }
      return Double(effort(k: k).codes / record.effort(measured, neighbors: 10).codes)
    }
  }

  case lists(Choice)
  /// Not, because of what the text says; nil where there is no index.
  case none(String?)
  /// Not known: another way takes less time than this one at least takes.
  case unread

  var choice: Choice? { if case .lists(let choice) = self { choice } else { nil } }
  var serves: Bool { choice != nil }
  var reason: String? { if case .none(let reason) = self { reason } else { nil } }

  /// What the search is estimated to take for a query; nil where it does not serve.
  func estimate(_ task: SearchTask) -> Double? {
    choice.map { $0.estimate(task) }
  }

  /// The same for a query that is unlike all vectors; at least so much where that is not known.
  func farEstimate(_ task: SearchTask) -> Double? {
    switch self {
    case .lists(let choice): choice.farEstimate(task)
    case .unread: task.costs.leastOfLists(vectors: task.costs.rowCount)
    case .none: nil
    }
  }
}

extension ListUse.Choice {
  /// For a query like the vectors.
  func estimate(_ task: SearchTask) -> Double {
    let effort = effort(k: task.k)
    return task.costs.listsStart(record, effort, share: share, maskedRows: maskedRows)
      + task.costs.lists(record, effort, share: share)
      + task.costs.comparing(rows: task.matching.count - inIndex.count, k: task.k, isBesides: true)
  }

  /// For a query that is unlike all vectors.
  func farEstimate(_ task: SearchTask) -> Double {
    guard let last = record.starts?.starts.last else { return estimate(task) }
    return max(estimate(task), scale(k: task.k) * task.costs.lists(record, last.effort, share: share))
  }

  /// Where a query is given up, since comparing every row takes less time.
  func limits(_ task: SearchTask) -> ListLimits {
    let costs = task.costs
    let scan = costs.scan(rows: task.matching.count, k: task.k)
    let scale = scale(k: task.k)
    let starts = record.starts?.starts ?? []
    let far = starts.dropFirst().firstIndex {
      scale * costs.lists(record, $0.effort, share: share) > givingUpShare(costs) * scan
    }
    return ListLimits(
      startRange: far.map { starts[$0 - 1].distance2 } ?? .infinity,
      cost: 2 * costs.lists(record, effort(k: task.k), share: share) + scan, code: costs.code,
      comparison: costs.comparison)
  }
}

extension Snapshot {
  /// Whether a search can go through the index of lists.
  borrowing func listUse(_ task: SearchTask) throws -> ListUse {
    guard let record = try indexRecord(of: task.space) else { return .none(nil) }
    guard let calibration = record.calibrations.reaching(task.recall) else {
      return .none(unmeasured(record.calibrations, "the index"))
    }
    let inIndex = task.matching.intersection(try indexedRows(in: task.space))
    if task.k > inIndex.count / 20 {
      return .none(tooMany)
    }
    return .lists(.init(record: record, calibration: calibration, inIndex: inIndex))
  }

  /// The nearest cells of each query through the index of lists, or of all rows where it is not used. Queries that are far
  /// from all lists or take too long are compared with every row, where that is estimated to take less time.
  /// - Parameter task: its queries are none of them zero.
  borrowing func nearestByLists(
    _ task: SearchTask, _ use: ListUse
  ) throws -> (neighbors: [[Neighbor]], plan: SearchPlan) {
    guard let choice = use.choice else {
      return try nearestByScan(task, because: use.reason ?? "the space has no index of lists")
    }
    let units = try task.queries.withUnsafeBufferPointer {
      try unitVectors($0, count: task.count, space: task.space).vectors
    }
    let index = try self.index(choice.record, of: task.space)
    let centres: any ScoredCentres =
      task.count < fewQueries ? try MappedCentres(of: index) : try CentreTable(of: index)
    let search = IndexSearch(
      index, centres, choice.calibration, k: task.k,
      // Where a row outside the index has a number, a damaged code may be of it.
      wanted: choice.inIndex.count < Int(index.rowLimit) ? RowMask(choice.inIndex) : nil,
      excluded: task.excluded, limits: choice.limits(task))
    let (visited, work) = try search.run(units, threads: task.threads)
    let (found, missed) = try addMissing(to: visited, task, indexed: choice.inIndex)
    var neighbors = found.map { $0 ?? [] }
    var plan = SearchPlan(
      way: .index(choice.calibration), matching: task.matching.count, indexed: choice.inIndex.count,
      work: work, scan: missed)
    let lost = found.indices.filter { found[$0] == nil }
    if !lost.isEmpty {
      let (others, scan) = try nearestByScan(task.of(lost), because: "given up")
      for (query, others) in zip(lost, others) { neighbors[query] = others }
      plan.fallbacks = [.init(queries: lost.count, way: scan.way, work: scan.work, scan: scan.scan)]
    }
    return (neighbors, plan)
  }
}

/// Why neither kind serves where fewer match.
let tooMany = "an index serves where at least 20 times as many vectors match as neighbors are asked for"

/// Why none serves that was not measured so far.
func unmeasured(_ calibrations: [some RecallCalibration], _ kind: String) -> String {
  "\(kind) was measured up to a recall of \(calibrations.last?.recall ?? 0)"
}

extension CentreTable {
  convenience init(of index: StoredIndex) throws {
    var centres: [Float] = []
    centres.reserveCapacity(index.record.listCount * index.width)
    try index.forEachRunOfCentres { _, count, base in
      centres.append(contentsOf: UnsafeBufferPointer(start: base, count: count * index.width))
    }
    self.init(centres, width: index.width)
  }
}
