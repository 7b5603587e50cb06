import Faults

/// Which fields and spaces of a database correspond to those of another one.
struct MergePlan {
  struct SpacePair {
    let source: SpaceRecord
    let target: SpaceRecord
  }

  /// The target's fields by the source's numbers.
  private(set) var fields: [UInt16: Field] = [:]
  private(set) var spaces: [SpacePair] = []

  /// Finds the counterparts, and makes those that the target lacks.
  /// - Throws: `badData` when a field of one name has two types, or a space of one name is another one or keeps other
  ///   numbers.
  init(of source: borrowing Snapshot, into transaction: inout WriteTransaction) throws {
    for field in source.fields {
      do {
        fields[field.id] = try transaction.field(named: field.name, type: field.type)
      } catch let fault as Fault where fault.kind == .badData {
        throw Fault(
          .badData, fault.subject, fault.problem,
          remedy: "rename it in one of the databases with cellvec fields rename")
      }
    }
    for space in source.spaces {
      let known = try MergePlan.counterpart(of: space, among: transaction.spaces)
      let target =
        try known
        ?? transaction.addSpace(
          name: space.name, dimension: space.dimension, scalar: space.scalar, recipe: space.recipe,
          backboneHash: space.backboneHash)
      spaces.append(SpacePair(source: space, target: try transaction.noteRuns(of: space, in: target)))
    }
  }

  private static func counterpart(of space: SpaceRecord, among spaces: [SpaceRecord]) throws -> SpaceRecord? {
    let alike = spaces.filter {
      $0.dimension == space.dimension && $0.recipe == space.recipe && $0.backboneHash == space.backboneHash
    }
    if let other = alike.first(where: { $0.name == space.name && $0.scalar != space.scalar }) {
      throw Fault(
        .badData, "space \"\(space.name)\"",
        expected: "vectors of \(other.scalar.rawValue), as the target has",
        found: space.scalar.rawValue,
        remedy: "rename it in one of the databases with cellvec spaces rename, "
          + "or export its vectors and import them with --dtype \(other.scalar.rawValue)")
    }
    let same = alike.filter { $0.scalar == space.scalar }
    if let named = same.first(where: { $0.name == space.name }) { return named }
    // Of imported vectors only the name says what they are.
    if space.recipe != nil, let other = same.first { return other }
    guard !spaces.contains(where: { $0.name == space.name }) else {
      throw Fault(
        .badData, "space \"\(space.name)\"",
        expected: "the same recipe, weights and dimension in both databases",
        found: "others", remedy: "rename it in one of them with cellvec spaces rename")
    }
    return nil
  }
}

extension WriteTransaction {
  /// Notes with what runs another database has filled the same space.
  fileprivate mutating func noteRuns(of other: SpaceRecord, in space: SpaceRecord) throws -> SpaceRecord {
    guard let index = spaces.firstIndex(where: { $0.id == space.id }) else { return space }
    for precision in other.precisions ?? [] { spaces[index].add(precision: precision) }
    if spaces[index].backbone == nil { spaces[index].backbone = other.backbone }
    if spaces[index] != space {
      try transaction.put(.spaces, Key().appending(space.id), Document.encode(spaces[index]))
    }
    return spaces[index]
  }
}
