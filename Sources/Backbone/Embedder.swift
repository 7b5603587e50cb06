import Faults

/// A backbone together with the way in which images of certain channels enter it: crops in, vectors out.
package struct Embedder: Sendable {
  package let backbone: VisionTransformer
  package let strategy: ChannelStrategy
  package let pooling: Pooling
  package let rotations: Rotations
  /// Roles of the crops' channels, in their order.
  package let roles: [String]
  private let passes: [InputPass]

  /// - Parameters:
  ///   - pooling: nil for the backbone's own.
  ///   - scaling: what is still to be done to values at each input; nil when crops are normalised.
  /// - Throws: `usage` when the strategy does not fit the backbone's inputs or names a role that images lack, or the
  ///   backbone has no such pooling.
  package init(
    backbone: VisionTransformer, strategy: ChannelStrategy, roles: [String], pooling: Pooling? = nil,
    rotations: Rotations = .one, scaling: InputScaling? = nil
  ) throws {
    guard !roles.isEmpty, Set(roles).count == roles.count else {
      throw Fault(.usage, "channels", expected: "different roles", found: described(roles))
    }
    self.backbone = backbone
    self.strategy = strategy
    self.pooling = pooling ?? backbone.defaultPooling
    try backbone.check(self.pooling)
    self.rotations = rotations
    self.roles = roles
    if let scaling { try scaling.validate(for: strategy, of: backbone) }
    passes = try strategy.mixes(of: roles, for: backbone).map { inputs in
      InputPass(
        inputs.enumerated().map { input, mix in scaling?.applied(to: mix, input: input) ?? mix })
    }
  }

  /// Components of the vector of one pass.
  private var passDimension: Int { backbone.dimension(for: pooling) }

  private var joinsByMean: Bool { strategy == .replicate(.mean) }

  /// Components of a vector.
  package var dimension: Int { joinsByMean ? passDimension : passes.count * passDimension }

  /// Embeds crops; equal crops give equal vectors, whatever stands beside them and however many threads work.
  ///
  /// - Shape: `crops` is [count, roles.count, height, width]; the result [count, dimension].
  /// - Throws: `usage` when the crops are too small or too large for the backbone.
  package func embed(
    crops: UnsafeBufferPointer<Float>, count: Int, height: Int, width: Int, threads: Int
  ) throws -> [Float] {
    let vectors =
      try rotations == .one
      ? embedPasses(crops, count: count, height: height, width: width, threads: threads)
      : embedRotations(crops, count: count, height: height, width: width, threads: threads)
    return joinsByMean ? means(of: vectors, count: count) : vectors
  }

  /// The vectors of every pass, [count, passes, passDimension].
  private func embedPasses(
    _ crops: UnsafeBufferPointer<Float>, count: Int, height: Int, width: Int, threads: Int
  ) throws -> [Float] {
    let valueCount = count * passes.count * passDimension
    return try [Float](unsafeUninitializedCapacity: valueCount) { vectors, initialized in
      let target = UnsafeMutableBufferPointer(rebasing: vectors[..<valueCount])
      target.initialize(repeating: 0)
      try backbone.embed(
        crops, count: count, channels: roles.count, height: height, width: width, passes: passes,
        into: target, threads: threads, pooling: pooling)
      initialized = target.count
    }
  }

  /// The means of the vectors of every pass over the rotations, [count, passes, passDimension].
  private func embedRotations(
    _ crops: UnsafeBufferPointer<Float>, count: Int, height: Int, width: Int, threads: Int
  ) throws -> [Float] {
    let turned = UnsafeMutableBufferPointer<Float>.allocate(capacity: crops.count)
    defer { turned.deallocate() }
    var sums = [Float](repeating: 0, count: count * passes.count * passDimension)
    for quarterTurns in rotations.quarterTurns {
      if let source = crops.baseAddress, let target = turned.baseAddress {
        turn(
          source, count: count * roles.count, height: height, width: width, quarterTurns: quarterTurns,
          into: target)
      }
      let isUpright = quarterTurns.isMultiple(of: 2)
      let vectors = try embedPasses(
        UnsafeBufferPointer(turned), count: count, height: isUpright ? height : width,
        width: isUpright ? width : height, threads: threads)
      for index in sums.indices { sums[index] += vectors[index] }
    }
    return sums.map { $0 / Float(rotations.rawValue) }
  }

  /// [count, passes, passDimension] to [count, passDimension].
  private func means(of vectors: [Float], count: Int) -> [Float] {
    let (passCount, dimension) = (passes.count, passDimension)
    var means = [Float](repeating: 0, count: count * dimension)
    for crop in 0..<count {
      for pass in 0..<passCount {
        let start = (crop * passCount + pass) * dimension
        for component in 0..<dimension { means[crop * dimension + component] += vectors[start + component] }
      }
    }
    return means.map { $0 / Float(passCount) }
  }

  /// The map that feeds every input of the backbone from the channel of the same role; inputs whose role images
  /// lack are absent.
  ///
  /// - Parameter inputs: roles of the inputs, should the backbone not say them, or not rightly.
  /// - Throws: `usage` when nothing says what the inputs are, or a channel would go unused.
  package static func defaultMap(
    backbone: VisionTransformer, inputs: [String]? = nil, roles: [String], absent: AbsentInputs = .zero
  ) throws -> ChannelStrategy {
    let inputs = inputs ?? backbone.inputRoles
    var remedy: String {
      let count = backbone.geometry.inputChannels
      return mappingAdvice(roles, inputs: inputs?.count == count ? inputs : nil, count: count)
    }
    if let inputs, inputs.count != backbone.geometry.inputChannels {
      throw Fault(
        .usage, "model \(backbone.name)", expected: "\(inputs.count) inputs (\(described(inputs)))",
        found: backbone.inputsDescription(), remedy: remedy)
    }
    guard let inputs, roles.allSatisfy(inputs.contains) else {
      throw Fault(
        .usage, "model \(backbone.name)",
        "has \(backbone.inputsDescription(inputs)); images have \(described(roles))", remedy: remedy)
    }
    return .map(inputs.map { roles.contains($0) ? $0 : nil }, absent: absent)
  }
}

/// A way to bring these channels to a model: each to its own input where names agree, the others to free ones.
private func mappingAdvice(_ roles: [String], inputs: [String]?, count: Int) -> String {
  guard roles.count <= count else {
    return
      "name at most \(count) of the channels, leave some out with --map role=none, or embed each alone with --strategy replicate"
  }
  var free = Array(0..<count)
  var targets: [String: Int] = [:]
  for role in roles {
    guard let input = inputs?.firstIndex(of: role) else { continue }
    targets[role] = input
    free.removeAll { $0 == input }
  }
  for role in roles where targets[role] == nil { targets[role] = free.removeFirst() }
  let map = roles.compactMap { role in targets[role].map { "\(role)=\($0)" } }.joined(separator: " ")
  return "say what goes where, as in --map \(map), or embed each alone with --strategy replicate"
}

// MARK: - Passes

extension ChannelStrategy {
  /// For every pass, what each input sees.
  /// - Throws: `usage` when the strategy does not fit the backbone's inputs or names a role that images lack.
  fileprivate func mixes(of roles: [String], for backbone: VisionTransformer) throws -> [[InputMix]] {
    let inputCount = backbone.geometry.inputChannels
    switch self {
    case .replicate:
      return roles.indices.map { Array(repeating: .channel($0), count: inputCount) }
    case .average:
      let terms = roles.indices.map { InputMix.Term(channel: $0, weight: 1 / Float(inputCount)) }
      return [Array(repeating: InputMix(terms: terms), count: inputCount)]
    case .map(let map, let absent):
      guard map.count == inputCount else {
        throw Fault(
          .usage, "--map", expected: "\(inputCount) roles for \(backbone.inputsDescription())",
          found: "\(map.count)", remedy: "name a role, or none, for each input")
      }
      let given = map.compactMap { $0 }
      try checkNames(given, among: roles)
      var repeated = 0
      return [
        map.map { role in
          if let role { return mix(of: role, among: roles) }
          guard absent == .repeat else { return .zeros }
          defer { repeated += 1 }
          return mix(of: given[repeated % given.count], among: roles)
        }
      ]
    case .reindex(let inputs):
      try checkNames(inputs.keys.sorted(), among: roles)
      if let (role, input) = inputs.first(where: { !(0..<inputCount).contains($0.value) }) {
        throw Fault(
          .usage, "--map \(role)=\(input)",
          expected: "an input of 0 to \(inputCount - 1), as model \(backbone.name) has", found: "\(input)")
      }
      return [
        (0..<inputCount).map { input in
          InputMix(
            terms: roles.indices.filter { inputs[roles[$0]] == input }
              .map { InputMix.Term(channel: $0, weight: 1) })
        }
      ]
    }
  }

  private func mix(of role: String, among roles: [String]) -> InputMix {
    roles.firstIndex(of: role).map { .channel($0) } ?? .zeros
  }

  private func checkNames(_ named: [String], among roles: [String]) throws {
    let unknown = named.filter { !roles.contains($0) }
    guard unknown.isEmpty else {
      throw Fault(
        .usage, "--map", expected: "roles among \(described(roles))", found: described(unknown))
    }
    guard !named.isEmpty else {
      throw Fault(.usage, "--map", "feeds no input", remedy: "name a role for at least one input")
    }
  }
}

extension InputScaling {
  fileprivate func validate(for strategy: ChannelStrategy, of backbone: VisionTransformer) throws {
    let option = self == .imagenet ? "--normalize imagenet" : "--normalize fixed"
    guard backbone.geometry.inputChannels == mean.count, deviation.count == mean.count else {
      throw Fault(
        .usage, option,
        expected:
          "a model of \(mean.count) inputs\(self == .imagenet ? ", which are red, green and blue" : "")",
        found: "\(backbone.inputsDescription())",
        remedy: "normalize as the model was trained, for most models of cells with self")
    }
    guard strategy != .average else {
      throw Fault(
        .usage, option,
        "has values for each input, but strategy average uses no input's own weights",
        remedy: "use --normalize self, or strategy replicate, map or reindex")
    }
  }
}

extension VisionTransformer {
  /// "4 inputs (nucleus, protein, microtubules, er)".
  fileprivate func inputsDescription(_ roles: [String]? = nil) -> String {
    let count = geometry.inputChannels
    let noun = count == 1 ? "1 input" : "\(count) inputs"
    return (roles ?? inputRoles).map { "\(noun) (\(described($0)))" } ?? "\(noun) of unknown roles"
  }
}

private func described(_ roles: [String]) -> String {
  roles.isEmpty ? "none" : roles.joined(separator: ", ")
}
