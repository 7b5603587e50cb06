import Faults

/// Walks all of a tree, past what is damaged.
struct TreeSurvey {
  private let pages: PageSnapshot
  private let tree: TreeRecord

  init(_ pages: PageSnapshot, _ tree: TreeRecord) {
    self.pages = pages
    self.tree = tree
  }

  /// Calls `entry` with each entry that can be read, in order, and `damage` for each page, entry or value that cannot.
  func run(
    damage: (Fault) -> Void,
    entry body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> Void
  ) throws {
    guard let root = tree.root else { return }
    var walk = Walk(pages: pages, leafLevel: tree.depth - 1)
    try walk.visit(root, level: 0, damage: damage, body)
  }

  private struct Walk {
    let pages: PageSnapshot
    let leafLevel: Int
    /// Pages met before: a page that two others lead to is read once, so that no damage multiplies the work.
    var seen: Set<UInt64> = []

    mutating func visit(
      _ number: UInt64, level: Int, damage: (Fault) -> Void,
      _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> Void
    ) throws {
      guard seen.insert(number).inserted else {
        return damage(pages.damaged("page \(number) is named twice"))
      }
      guard let page = try note(damage, { try pages.page(number, isLeaf: level == leafLevel) }) else {
        return
      }
      for index in 0..<page.count {
        if level < leafLevel {
          guard let child = try note(damage, { try page.child(index) }) else { continue }
          try visit(child, level: level + 1, damage: damage, body)
        } else {
          let entry = try note(damage) { (key: try page.key(index), value: try page.value(index).bytes) }
          if let entry { try body(entry.key, entry.value) }
        }
      }
    }

    /// What `read` gives; nil when it finds damage.
    private func note<Result>(_ damage: (Fault) -> Void, _ read: () throws -> Result) throws -> Result? {
      do {
        return try read()
      } catch let fault as Fault where fault.kind == .badData {
        damage(fault)
        return nil
      }
    }
  }
}
