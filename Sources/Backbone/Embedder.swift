import Faults

/// A backbone together with the way in which images of certain channels enter it: crops in, vectors out.
package struct Embedder: Sendable {
  package let backbone: VisionTransformer
  package let strategy: ChannelStrategy
  package let pooling: Pooling
  /// Roles of the crops' channels, in their order.
  package let roles: [String]
  /// For every pass over the backbone, the channel that feeds each input.
  private let passes: [[Int?]]

  /// - Parameter pooling: nil for the backbone's own.
  /// - Throws: `usage` when the map does not fit the backbone's inputs or names a role that images lack, or
  ///   the backbone has no such pooling.
  package init(
    backbone: VisionTransformer, strategy: ChannelStrategy, roles: [String], pooling: Pooling? = nil
  ) throws {
    guard !roles.isEmpty, Set(roles).count == roles.count else {
      throw Fault(.usage, "channels", expected: "different roles", found: described(roles))
    }
    self.backbone = backbone
    self.strategy = strategy
    self.pooling = pooling ?? backbone.defaultPooling
    try backbone.check(self.pooling)
    self.roles = roles
    let inputs = backbone.geometry.inputChannels
    switch strategy {
    case .replicate:
      passes = roles.indices.map { Array(repeating: $0, count: inputs) }
    case .map(let map):
      guard map.count == inputs else {
        throw Fault(
          .usage, "--map", expected: "\(inputs) roles for \(backbone.inputsDescription)",
          found: "\(map.count)", remedy: "name a role, or none, for each input")
      }
      let unknown = map.compactMap { $0 }.filter { !roles.contains($0) }
      guard unknown.isEmpty else {
        throw Fault(
          .usage, "--map", expected: "roles among \(described(roles))", found: described(unknown))
      }
      guard map.contains(where: { $0 != nil }) else {
        throw Fault(.usage, "--map", "feeds no input", remedy: "name a role for at least one input")
      }
      passes = [map.map { role in role.flatMap { roles.firstIndex(of: $0) } }]
    }
  }

  /// Components of a vector.
  package var dimension: Int { passes.count * backbone.dimension(for: pooling) }

  /// Embeds crops; equal crops give equal vectors, whatever stands beside them and however many threads work.
  ///
  /// - Shape: `crops` is [count, roles.count, height, width]; the result [count, dimension].
  /// - Throws: `usage` when the crops are too small or too large for the backbone.
  package func embed(
    crops: UnsafeBufferPointer<Float>, count: Int, height: Int, width: Int, threads: Int
  ) throws -> [Float] {
    try [Float](unsafeUninitializedCapacity: count * dimension) { vectors, initialized in
      let target = UnsafeMutableBufferPointer(rebasing: vectors[..<(count * dimension)])
      target.initialize(repeating: 0)
      try backbone.embed(
        crops, count: count, channels: roles.count, height: height, width: width, passes: passes,
        into: target, threads: threads, pooling: pooling)
      initialized = target.count
    }
  }

  /// The map that feeds every input of the backbone from the channel of the same role, and zeros where images
  /// have none.
  ///
  /// - Throws: `usage` when the backbone does not say what its inputs are, or a channel would go unused.
  package static func defaultMap(backbone: VisionTransformer, roles: [String]) throws -> ChannelStrategy {
    guard let inputs = backbone.inputRoles, roles.allSatisfy(inputs.contains) else {
      throw Fault(
        .usage, "model \(backbone.name)",
        "has \(backbone.inputsDescription); images have \(described(roles))", remedy: "map them with --map")
    }
    return .map(inputs.map { roles.contains($0) ? $0 : nil })
  }
}

extension VisionTransformer {
  /// "4 inputs (nucleus, protein, microtubules, er)".
  fileprivate var inputsDescription: String {
    let count = geometry.inputChannels
    let noun = count == 1 ? "1 input" : "\(count) inputs"
    return inputRoles.map { "\(noun) (\(described($0)))" } ?? "\(noun) of unknown roles"
  }
}

private func described(_ roles: [String]) -> String {
  roles.isEmpty ? "none" : roles.joined(separator: ", ")
}
