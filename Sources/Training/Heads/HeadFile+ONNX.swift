import Faults
import Formats

extension HeadFile {
  /// The head as a model of ONNX: `vectors` [samples, dimension], as they are stored, to `probabilities` [samples, classes],
  /// calibrated. Classes, thresholds, the task and what a sample is are texts beside the graph, and so is the summary.
  ///
  /// - Throws: `usage` for a head with an attention, whose vectors are of no single cell, with isotonic curves, or of
  ///   neighbors.
  package func encodedONNX(name: String) throws -> [UInt8] {
    guard head.neighbors == nil else {
      throw Fault(
        .usage, "head \"\(name)\"", "has nearest neighbors, which are not written as ONNX",
        remedy: "export it as safetensors")
    }
    guard head.attention == nil else {
      throw Fault(
        .usage, "head \"\(name)\"", "has an attention over cells, which is not written as ONNX",
        remedy: "export it as safetensors")
    }
    var model = ONNXModel(
      name: name, input: .init(name: "vectors", width: head.dimension),
      output: .init(name: "probabilities", width: head.classes.count))
    let logits = head.members.enumerated().map { model.add($1, of: $0, input: "vectors") }
    func mean(_ kind: ONNXModel.Chance, _ name: String) -> String {
      let members = logits.enumerated().map { model.add(kind, of: $1, as: "member_\($0)_\(name)") }
      return model.add("Mean", members, as: "mean_\(name)")
    }
    switch (head.calibration, head.task) {
    case (.none, let task):
      model.add(
        "Identity", [mean(task == .single ? .softmax : .sigmoid, "probabilities")], as: "probabilities")
    case (.temperature(let temperature), .single):
      model.add(temperature, correcting: mean(.softmax, "probabilities"), as: "probabilities")
    case (.temperature(let temperature), .multi):
      model.add(
        temperature, correcting: mean(.exactSigmoid, "probabilities"),
        complements: mean(.opposite, "complements"), as: "probabilities")
    case (.isotonic, _):
      throw Fault(
        .usage, "head \"\(name)\"", "has isotonic curves, which are not written as ONNX",
        remedy: "export it as safetensors, or calibrate by temperature")
    }
    model.describe("classes", try canonicalJSON(head.classes))
    model.describe("thresholds", try canonicalJSON(head.thresholds))
    model.describe("task", head.task.rawValue)
    model.describe("sample", summary.unit.name)
    model.describe(
      "vectors",
      summary.unit == .cell ? "those of cells" : "the mean of all cells of each \(summary.unit.name)")
    model.describe(Self.key, try summary.json())
    return model.encoded
  }

  /// Writes `encodedONNX`, complete or not at all.
  package func writeONNX(to path: String, name: String) throws {
    let bytes = try encodedONNX(name: name)
    var file = try AtomicFile(path: path)
    try file.write(bytes)
    try file.commit()
  }
}

extension ONNXModel {
  /// What becomes of logits.
  fileprivate enum Chance {
    case softmax, sigmoid
    /// The sigmoid of operators that are exact for small values, too, which that of a runtime may round to others; and
    /// that of the negative logits.
    case exactSigmoid, opposite
  }

  /// Adds the layers of a member of an ensemble.
  /// - Returns: the name of its logits.
  fileprivate mutating func add(_ layers: [Head.Layer], of member: Int, input: String) -> String {
    var last = input
    for (index, layer) in layers.enumerated() {
      let prefix = "member_\(member)_layer_\(index)"
      if index > 0 { last = add("Relu", [last], as: "\(prefix)_input") }
      let weights = add(layer.weights, shape: [layer.outputs, layer.inputs], as: "\(prefix)_weight")
      let biases = add(layer.biases, shape: [layer.outputs], as: "\(prefix)_bias")
      last = add("Gemm", [last, weights, biases], as: "\(prefix)_output", [("transB", 1)])
    }
    return last
  }

  fileprivate mutating func add(_ kind: Chance, of logits: String, as output: String) -> String {
    switch kind {
    case .softmax: return add("Softmax", [logits], as: output, [("axis", 1)])
    case .sigmoid: return add("Sigmoid", [logits], as: output)
    case .exactSigmoid, .opposite:
      let exponent = kind == .opposite ? logits : add("Neg", [logits], as: "\(output)_exponent")
      let one = add([1.0], shape: [1], as: "\(output)_one")
      let odds = add("Exp", [exponent], as: "\(output)_odds")
      return add("Reciprocal", [add("Add", [odds, one], as: "\(output)_sum")], as: output)
    }
  }

  /// Adds a temperature T for one label: the softmax of log p / T, as `HeadCalibration` has it. Powers of p would all be 0
  /// in float32 where there are many classes and T is small.
  fileprivate mutating func add(_ temperature: Double, correcting probabilities: String, as output: String) {
    let inverse = add([Float(1 / temperature)], shape: [1], as: "temperature_inverse")
    let logarithms = add("Log", [held(probabilities)], as: "temperature_logarithms")
    let scaled = add("Mul", [logarithms, inverse], as: "temperature_scaled")
    add("Softmax", [scaled], as: output, [("axis", 1)])
  }

  /// Adds a temperature T for several labels: 1 / (1 + (q / p)^(1 / T)), where q = 1 - p, as `HeadCalibration` has it.
  fileprivate mutating func add(
    _ temperature: Double, correcting probabilities: String, complements: String, as output: String
  ) {
    let inverse = add([Float(1 / temperature)], shape: [1], as: "temperature_inverse")
    let one = add([1.0], shape: [1], as: "temperature_one")
    let odds = add("Div", [held(complements), held(probabilities)], as: "temperature_odds")
    let powers = add("Pow", [odds, inverse], as: "temperature_powers")
    add("Reciprocal", [add("Add", [powers, one], as: "temperature_sums")], as: output)
  }

  /// Adds the larger of probabilities and the least one that a correction knows.
  private mutating func held(_ probabilities: String) -> String {
    let least = add([HeadCalibration.leastProbability], shape: [1], as: "\(probabilities)_least")
    return add("Max", [probabilities, least], as: "\(probabilities)_held")
  }
}
