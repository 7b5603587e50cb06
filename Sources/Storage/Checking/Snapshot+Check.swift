package import Faults

/// What a check has found.
package struct CheckReport: Sendable, Equatable {
  /// Of records that cannot be computed again, and of the pages that they lie on.
  package internal(set) var primary: [Fault] = []
  /// Of other pages, which keep the file from being written; `Database.rebuild` makes it anew.
  package internal(set) var pages: [Fault] = []
  /// Of records that follow from others; `DatabaseWriter.repair` makes them anew.
  package internal(set) var derived: [Fault] = []

  package var faults: [Fault] { primary + pages + derived }
}

extension Snapshot {
  /// Everything that contradicts itself in the database; empty for a sound one.
  package func check() -> [Fault] { checkReport().faults }

  /// Everything that contradicts itself: damaged pages, records and blocks, cells without their image, and row sets,
  /// number columns or dictionaries that differ from what the cells say.
  ///
  /// - Complexity: reads every record and block once; holds in memory which cells there are, which have a vector
  ///   and which a number, which texts there are, and of other row sets a chunk. Where one of those is wrong, cells
  ///   and sets are read again, and the keys of all sets are held.
  package func checkReport() -> CheckReport {
    var audit = Audit(fields: fields, spaces: spaces)
    for finding in transaction.pages.map(PageAudit.findings) ?? [] { audit.report(finding) }
    audit.readFormat(of: transaction)
    audit.readCells(of: transaction)
    audit.readTexts(of: transaction)
    audit.readImages(of: transaction)
    audit.readOutcomesAndHeads(of: transaction)
    audit.readSets(of: transaction)
    audit.compareCells()
    audit.compareSets(of: transaction)
    audit.compareNumbers(of: transaction)
    for space in spaces { audit.readVectors(of: transaction, space) }
    for table in [Table.indexes, .codes] { audit.survey(table, of: transaction) { _, _, _ in } }
    for space in spaces {
      audit.readIndex(of: transaction, space)
      audit.readGraph(of: transaction, space)
    }
    audit.readCoarse(of: transaction)
    return audit.report
  }
}

/// What a check has gathered from the records, and the faults it has found.
struct Audit {
  var report = CheckReport()
  let fields: [Field]
  let spaces: [SpaceRecord]
  /// What the cells say.
  var cells = CellSummary()
  /// Numbers of texts that were found in the dictionary of a field, by the field's number.
  var foundTexts: [RowSet] = []
  /// The images that can be read.
  var images: [UInt32: ImageRecord] = [:]
  /// The chunk of the row sets that the cells are in.
  var cellSets = CellSets()
  /// The derived row sets as the cells say them, and as they are stored.
  var cellsDigest = RecordDigest()
  var storedDigest = RecordDigest()
  /// The row sets of all cells and of spaces as they are stored, where they can be read.
  var storedSets: [RowSetName: RowSet] = [:]
  /// The chunk of each number field that was read last; nil where it cannot be read. Lies in the memory map.
  var columns: [UInt16: (chunk: NumberChunk, column: NumberColumn?)] = [:]
  /// Whether a part of the set of all cells may be missing above.
  private(set) var hasDamagedSets = false
  /// Whether cells may be missing above. Otherwise all are there that the table counts.
  private(set) var hasDamagedCells = false
  /// What was reported of primary records.
  private var known: Set<String> = []

  init(fields: [Field], spaces: [SpaceRecord]) {
    self.fields = fields
    self.spaces = spaces
  }

  mutating func reportPrimary(_ subject: String, _ problem: String) {
    // A damaged page is met by the audit of pages and by the reader of its table.
    guard known.insert("\(subject): \(problem)").inserted else { return }
    report.primary.append(
      Fault(
        .badData, subject, problem, remedy: "restore a copy, or save the rest with cellvec export --salvage"))
  }

  mutating func report(_ finding: PageAudit.Finding) {
    if finding.table == .cells { hasDamagedCells = true }
    if finding.isOfFreePages || finding.table?.isDerived == true {
      reportPage(finding.fault)
    } else {
      reportPrimary(finding.fault.subject, finding.fault.problem)
    }
  }

  private mutating func reportPage(_ fault: Fault) {
    guard known.insert("\(fault.subject): \(fault.problem)").inserted else { return }
    report.pages.append(
      Fault(.badData, fault.subject, fault.problem, remedy: "run cellvec check --repair"))
  }

  mutating func reportDerived(_ subject: String, _ problem: String) {
    report.derived.append(Fault(.badData, subject, problem, remedy: "run cellvec check --repair"))
  }

  /// Goes through the readable entries of a table; what cannot be read, and a fault that `body` throws of an entry,
  /// is reported.
  mutating func survey(
    _ table: Table, of transaction: borrowing Transaction,
    _ body: (inout Audit, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> Void
  ) {
    var findings: [(fault: Fault, place: Place)] = []
    do {
      try transaction.survey(
        table,
        damage: { fault, key in findings.append((fault, table.place(of: key))) },
        entry: { key, value in
          do {
            try body(&self, key, value)
          } catch let fault as Fault {
            findings.append((fault, table.place(of: key)))
          }
        })
    } catch {
      let fault = error as? Fault
      findings.append(
        (fault ?? Fault(.badData, "table \"\(table.name)\"", "cannot be read: \(error)"), .primary))
    }
    if table == .sets, !findings.isEmpty { hasDamagedSets = true }
    if table == .cells, !findings.isEmpty { hasDamagedCells = true }
    for (fault, place) in findings {
      switch place {
      case .primary: reportPrimary(fault.subject, fault.problem)
      case .derived: reportDerived(fault.subject, fault.problem)
      case .page: reportPage(fault)
      }
    }
  }

  /// Where damage is.
  fileprivate enum Place {
    case primary
    case derived
    /// A page of records that are derived.
    case page
  }
}

extension Table {
  /// What damage of the record of a key means; that of a page has no key.
  fileprivate func place(of key: UnsafeRawBufferPointer?) -> Audit.Place {
    guard isDerived else { return .primary }
    guard let key else { return .page }
    // Which cells have a vector in a space follows from nothing else.
    if self == .sets, case .space = RowSetName(key: key) { return .primary }
    return .derived
  }
}
