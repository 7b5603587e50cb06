import Faults
import Formats

extension Head {
  /// A safetensors file of the layers: `layers.<i>.weight` [outputs, inputs] and `layers.<i>.bias` [outputs],
  /// float32, ReLU between layers; of an ensemble, `members.<m>.` stands before each name. The first layer
  /// takes vectors as they are stored. Of an attention over cells, `attention.gates.weight` [2 width, dimension],
  /// `attention.gates.bias` [2 width] and `attention.scores` [width]. Of neighbors, those that `NeighborHead` has.
  ///
  /// - Parameter metadata: texts that the file is to hold beside them.
  package func encodedWeights(metadata: [String: String] = [:]) -> [UInt8] {
    let metadata = metadata.merging(["format": "pt"]) { $1 }
    if let neighbors { return SafetensorsFile.encode(tensors: neighbors.tensors, metadata: metadata) }
    let tensors = members.enumerated().flatMap { number, layers in
      layers.enumerated().flatMap { index, layer in
        [
          (
            name: weightName(index, of: number), shape: [layer.outputs, layer.inputs], values: layer.weights
          ), (name: biasName(index, of: number), shape: [layer.outputs], values: layer.biases),
        ]
      }
    }
    return SafetensorsFile.encode(tensors: (attention?.tensors ?? []) + tensors, metadata: metadata)
  }

  /// The head that `encodedWeights` and a `HeadSummary` describe.
  ///
  /// - Parameter name: the head, for faults.
  /// - Throws: `badData` or `missingInput` when the weights are damaged, do not have the summary's shapes, or
  ///   are not finite.
  package init(weights: [UInt8], summary: HeadSummary, name: String) throws {
    try self.init(
      file: try SafetensorsFile(bytes: weights, name: "weights of head \(name)"), summary: summary)
  }

  /// - Throws: as above.
  init(file: SafetensorsFile, summary: HeadSummary) throws {
    if let neighbors = summary.neighbors {
      self.init(
        classes: summary.classes, neighbors: try NeighborHead(neighbors, summary: summary, file: file),
        thresholds: summary.thresholds, task: summary.task)
      calibration = summary.calibration ?? .none
      return
    }
    let widths = [summary.dimension] + summary.architecture.hidden + [summary.classes.count]
    let layerCount = widths.count - 1
    let prefixes = Self.prefixes(summary.memberCount)
    let members = try prefixes.map { prefix in
      try (0..<layerCount).map { index in
        let (inputs, outputs) = (widths[index], widths[index + 1])
        return Layer(
          inputs: inputs, outputs: outputs,
          weights: try Self.tensor("\(prefix)layers.\(index).weight", shape: [outputs, inputs], in: file),
          biases: try Self.tensor("\(prefix)layers.\(index).bias", shape: [outputs], in: file))
      }
    }
    let attention = try summary.attentionWidth.map {
      try CellAttention(dimension: summary.dimension, width: $0, file: file)
    }
    try Self.requireTensors(2 * layerCount * members.count + (attention?.tensors.count ?? 0), in: file)
    self.init(
      classes: summary.classes, architecture: summary.architecture, dimension: summary.dimension,
      thresholds: summary.thresholds, members: members, task: summary.task)
    calibration = summary.calibration ?? .none
    self.attention = attention
  }

  fileprivate static func requireTensors(_ count: Int, in file: SafetensorsFile) throws {
    guard file.tensorNames.count == count else {
      throw Fault(
        .badData, file.name, expected: "\(count) tensors", found: "\(file.tensorNames.count)",
        remedy: "train the head again")
    }
  }

  private static func prefixes(_ memberCount: Int) -> [String] {
    memberCount == 1 ? [""] : (0..<memberCount).map { "members.\($0)." }
  }

  private func weightName(_ layer: Int, of member: Int) -> String {
    "\(Self.prefixes(members.count)[member])layers.\(layer).weight"
  }

  private func biasName(_ layer: Int, of member: Int) -> String {
    "\(Self.prefixes(members.count)[member])layers.\(layer).bias"
  }

  fileprivate static func tensor(_ name: String, shape: [Int], in file: SafetensorsFile) throws -> [Float] {
    let values = try file.floats(of: name)
    guard file.shape(of: name) == shape else {
      throw Fault(
        .badData, "\(file.name): tensor \(name)", expected: "shape \(shape)",
        found: "\(file.shape(of: name) ?? [])", remedy: "train the head again")
    }
    guard values.allSatisfy(\.isFinite) else {
      throw Fault(
        .badData, "\(file.name): tensor \(name)", expected: "finite numbers", found: "NaN or infinity",
        remedy: "train the head again")
    }
    return values
  }
}

extension CellAttention {
  fileprivate typealias Tensor = (name: String, shape: [Int], values: [Float])

  fileprivate var tensors: [Tensor] {
    [
      (name: Self.weightName, shape: [2 * width, dimension], values: gates.weights),
      (name: Self.biasName, shape: [2 * width], values: gates.biases),
      (name: Self.scoreName, shape: [width], values: scores),
    ]
  }

  private static let weightName = "attention.gates.weight"
  private static let biasName = "attention.gates.bias"
  private static let scoreName = "attention.scores"

  fileprivate init(dimension: Int, width: Int, file: SafetensorsFile) throws {
    self.init(
      gates: Head.Layer(
        inputs: dimension, outputs: 2 * width,
        weights: try Head.tensor(Self.weightName, shape: [2 * width, dimension], in: file),
        biases: try Head.tensor(Self.biasName, shape: [2 * width], in: file)),
      scores: try Head.tensor(Self.scoreName, shape: [width], in: file))
  }
}

extension NeighborHead {
  private static let vectorName = "voters.vectors"
  private static let targetName = "voters.targets"
  private static let cellName = "voters.of_cells"

  /// `voters.vectors` [voters, dimension] as they are stored; `voters.targets` [voters, classes], how far each belongs to
  /// each class, from 0 to 1; where it is known, `voters.of_cells` [cells]: for each row that the summary's `data` names, in
  /// order, the voter that the cell is or is part of, or -1.
  ///
  /// All of the table must vote.
  fileprivate var tensors: [(name: String, shape: [Int], values: [Float])] {
    precondition(chosen == nil)
    let (count, cells) = (voters.count, voters.voterOfCell)
    var tensors: [(name: String, shape: [Int], values: [Float])] = [
      (name: Self.vectorName, shape: [count, voters.dimension], values: Array(voters.values)),
      (name: Self.targetName, shape: [count, voters.labels.classCount], values: voters.labels.table),
    ]
    if !cells.isEmpty {
      tensors.append((name: Self.cellName, shape: [cells.count], values: cells.map { Float($0) }))
    }
    return tensors
  }

  /// - Throws: `badData` or `missingInput` for tensors that are damaged, do not have the summary's shapes, or hold what no
  ///   voter has.
  fileprivate init(_ neighbors: NeighborSummary, summary: HeadSummary, file: SafetensorsFile) throws {
    let classCount = summary.classes.count
    let cellCount = file.shape(of: Self.cellName)?.first
    try Head.requireTensors(cellCount == nil ? 2 : 3, in: file)
    guard cellCount == nil || neighbors.voters <= VoterTable.countLimit else {
      throw Self.fault(
        Self.cellName, expected: "numbers of at most \(VoterTable.countLimit) voters",
        found: "\(neighbors.voters)", file)
    }
    let vectors = try Head.tensor(
      Self.vectorName, shape: [neighbors.voters, summary.dimension], in: file)
    let targets = try Head.tensor(Self.targetName, shape: [neighbors.voters, classCount], in: file)
    guard let labels = KeptLabels(table: targets, classCount: classCount) else {
      throw Self.fault(
        Self.targetName, expected: "numbers from 0 to 1, one above 0 for each voter", found: "others", file)
    }
    let cells = try cellCount.map { try Head.tensor(Self.cellName, shape: [$0], in: file) } ?? []
    let known = cells.compactMap { Int32(exactly: $0) }
    guard known.count == cells.count, known.allSatisfy({ (-1..<Int32(neighbors.voters)).contains($0) }) else {
      throw Self.fault(Self.cellName, expected: "numbers of voters, or -1", found: "others", file)
    }
    self.init(
      voters: VoterTable(
        vectors: vectors, dimension: summary.dimension, labels: labels, voterOfCell: known),
      chosen: nil, k: neighbors.k, temperature: neighbors.temperature)
  }

  private static func fault(
    _ tensor: String, expected: String, found: String, _ file: SafetensorsFile
  ) -> Fault {
    Fault(
      .badData, "\(file.name): tensor \(tensor)", expected: expected, found: found,
      remedy: "train the head again")
  }
}
