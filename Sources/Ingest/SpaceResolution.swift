package import Backbone
import Faults
import Identity
package import Storage

extension DatabaseWriter {
  /// The space of this recipe and backbone: the one that the database has, or a new one.
  /// - Parameters:
  ///   - name: the space's name; nil for the one that exists, or `<backbone>-<strategy>` for a new one.
  ///   - table: what the metadata of the run come from.
  ///   - scalar: the numbers that the space keeps; nil for those that it has, or float32 for a new one.
  /// - Throws: `usage` when the name stands for another recipe or backbone, the space keeps other numbers, or the name of a
  ///   new one has control characters.
  package func space(
    named name: String?, scalar: ScalarType? = nil, recipe: Recipe, embedder: Embedder,
    backbone: BackboneReference, table: SourceTable? = nil
  ) throws -> SpaceRecord {
    let json = try recipe.canonicalJSON()
    let hash = embedder.backbone.hash.description
    let spaces = try database.read { $0.spaces }
    let same = spaces.filter { $0.recipe == json && $0.backboneHash == hash }
    let precision = embedder.backbone.precision.rawValue
    if let known = name.map({ name in same.first { $0.name == name } }) ?? same.first {
      try known.require(scalar)
      let isNoted =
        known.precisions?.contains(precision) == true
        && table.map { known.tables?.contains($0) == true } ?? true
      if known.backbone != backbone || !isNoted {
        return try write { try $0.noteRun(of: backbone, precision: precision, table: table, in: known) }
      }
      return known
    }

    let chosen = name ?? freeName("\(embedder.backbone.name)-\(recipe.strategy.name)", among: spaces)
    if let other = spaces.first(where: { $0.name == chosen }) {
      throw Fault(
        .usage, "space \"\(chosen)\"", "was made with \(difference(of: other, from: recipe, hash))",
        remedy:
          "name a new space with --space, or repeat the options that made it (cellvec stats --json shows them)"
      )
    }
    try requirePlainName(chosen, of: "space")
    return try write(isPreparation: true) { transaction in
      let space = try transaction.addSpace(
        name: chosen, dimension: embedder.dimension, scalar: scalar ?? .float32, recipe: json,
        backboneHash: hash)
      return try transaction.noteRun(of: backbone, precision: precision, table: table, in: space)
    }
  }
}

extension SpaceRecord {
  /// - Throws: `usage` when the space keeps other numbers than those that were asked for.
  func require(_ asked: ScalarType?) throws {
    guard let asked, asked != scalar else { return }
    throw Fault(
      .usage, "--dtype", "space \"\(name)\" keeps \(scalar.rawValue), not \(asked.rawValue)",
      remedy: "leave --dtype out, or name a new space with --space")
  }
}

private func freeName(_ base: String, among spaces: [SpaceRecord]) -> String {
  let taken = Set(spaces.map(\.name))
  let candidates = [base] + (2...taken.count + 2).map { "\(base)-\($0)" }
  return candidates.first { !taken.contains($0) } ?? base
}

/// In what a space differs from what was asked for, such as "strategy average, not map nucleus>0": vectors of
/// the two cannot be compared.
private func difference(of space: SpaceRecord, from recipe: Recipe, _ hash: String) -> String {
  guard space.backboneHash == hash else { return "another backbone" }
  guard let text = space.recipe, let other = try? Recipe(canonicalJSON: text, space: space.name) else {
    return "another recipe"
  }
  if other.isInt8 != recipe.isInt8 {
    let kinds = ["float32 or bfloat16", "int8"]
    return "--precision \(kinds[other.isInt8 ? 1 : 0]), not \(kinds[recipe.isInt8 ? 1 : 0])"
  }
  guard other.strategy != recipe.strategy else { return "another recipe" }
  return "strategy \(other.strategy), not \(recipe.strategy)"
}
