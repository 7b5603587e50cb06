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
  /// - Parameter origins: tells faults from which database the target has a field or space.
  /// - Throws: `badData` when a field of one name has two types, or a space of one name is another one or keeps other
  ///   numbers; the sentence is about the first, and an excerpt names the others.
  init(
    of source: borrowing Snapshot, into transaction: inout WriteTransaction, origins: MergeOrigins
  ) throws {
    var faults: [Fault] = []
    for field in source.fields {
      if let known = transaction.fieldsByName[field.name], known.type != field.type {
        faults.append(
          Fault(
            .badData, "field \"\(field.name)\"",
            expected: "a \(known.type.rawValue), as \(origins[field: field.name]) has it",
            found: "a \(field.type.rawValue)",
            remedy: "rename it in one of the databases with cellvec fields rename"))
      } else {
        fields[field.id] = try transaction.field(named: field.name, type: field.type)
      }
    }
    for space in source.spaces {
      let known: SpaceRecord?
      do {
        known = try MergePlan.counterpart(of: space, among: transaction.spaces, origins)
      } catch {
        faults.append(error)
        continue
      }
      let target =
        try known
        ?? transaction.addSpace(
          name: space.name, dimension: space.dimension, scalar: space.scalar, recipe: space.recipe,
          backboneHash: space.backboneHash)
      spaces.append(SpacePair(source: space, target: try transaction.noteRuns(of: space, in: target)))
    }
    if let first = faults.first {
      throw Fault(
        first.kind, first.subject, first.problem, remedy: first.remedy,
        excerpt: faults.dropFirst().map { "also \($0)" }.joined(separator: "\n"))
    }
  }

  private static func counterpart(
    of space: SpaceRecord, among spaces: [SpaceRecord], _ origins: MergeOrigins
  ) throws(Fault) -> SpaceRecord? {
    let alike = spaces.filter {
      $0.dimension == space.dimension && $0.recipe == space.recipe && $0.backboneHash == space.backboneHash
    }
    if let other = alike.first(where: { $0.name == space.name && $0.scalar != space.scalar }) {
      throw Fault(
        .badData, "space \"\(space.name)\"",
        expected: "vectors of \(other.scalar.rawValue), as \(origins[space: space.name]) has",
        found: space.scalar.rawValue,
        remedy: "rename it in one of the databases with cellvec spaces rename, "
          + "or export its vectors and import them with --dtype \(other.scalar.rawValue)")
    }
    let same = alike.filter { $0.scalar == space.scalar }
    if let named = same.first(where: { $0.name == space.name }) { return named }
    // Of imported vectors only the name says what they are.
    if space.recipe != nil, let other = same.first { return other }
    guard let other = spaces.first(where: { $0.name == space.name }) else { return nil }
    let (expected, found) = difference(of: other, from: space)
    throw Fault(
      .badData, "space \"\(space.name)\"", expected: "\(expected), as \(origins[space: space.name]) has",
      found: found, remedy: "rename it in one of the databases with cellvec spaces rename")
  }

  /// In what two spaces of one name differ, told of each.
  private static func difference(of known: SpaceRecord, from other: SpaceRecord) -> (String, String) {
    guard let recipe = known.recipe, let otherRecipe = other.recipe else {
      if (known.recipe == nil) != (other.recipe == nil) {
        return known.recipe == nil
          ? ("imported vectors", "vectors of images") : ("vectors of images", "imported vectors")
      }
      return ("vectors of \(known.dimension) numbers", "\(other.dimension)")
    }
    if known.backboneHash != other.backboneHash {
      return ("the weights \(known.backboneHash ?? "none")", other.backboneHash ?? "none")
    }
    if recipe != otherRecipe {
      let (own, others) = RecipeDifference.between(recipe, and: otherRecipe)
      return ("the recipe with \(own.joined(separator: ", "))", others.joined(separator: ", "))
    }
    return ("vectors of \(known.dimension) numbers", "\(other.dimension)")
  }
}

/// From which database the target of a merge has its fields and spaces, by their names.
struct MergeOrigins {
  let target: String
  private var fields: [String: String] = [:]
  private var spaces: [String: String] = [:]

  init(target: String) { self.target = target }

  subscript(field name: String) -> String { fields[name] ?? target }
  subscript(space name: String) -> String { spaces[name] ?? target }

  /// Notes what a database is about to bring in that the target lacks.
  mutating func note(
    _ source: borrowing Snapshot, at path: String, into transaction: borrowing WriteTransaction
  ) {
    for field in source.fields where transaction.fieldsByName[field.name] == nil { fields[field.name] = path }
    for space in source.spaces where transaction.space(named: space.name) == nil { spaces[space.name] = path }
  }
}

extension WriteTransaction {
  /// Notes with what runs another database has filled the same space.
  fileprivate mutating func noteRuns(of other: SpaceRecord, in space: SpaceRecord) throws -> SpaceRecord {
    guard let index = spaces.firstIndex(where: { $0.id == space.id }) else { return space }
    for precision in other.precisions ?? [] { spaces[index].add(precision: precision) }
    for table in other.tables ?? [] { spaces[index].add(merged: table) }
    if spaces[index].backbone == nil { spaces[index].backbone = other.backbone }
    if spaces[index] != space {
      try transaction.put(.spaces, Key().appending(space.id), Document.encode(spaces[index]))
    }
    return spaces[index]
  }
}
