import Faults
import Formats

extension HeadFile {
  /// The head as a model of ONNX: `vectors` [samples, dimension], as they are stored, to `probabilities` [samples, classes],
  /// calibrated. Classes, thresholds and the task are texts beside the graph, and so is the summary.
  ///
  /// - Throws: `usage` for a head with an attention, whose vectors are of no single cell, or with isotonic curves.
  package func encodedONNX(name: String) throws -> [UInt8] {
    guard head.attention == nil else {
      throw Fault(
        .usage, "head \"\(name)\"", "has an attention over cells, which is not written as ONNX",
        remedy: "export it as safetensors")
    }
    var model = ONNXModel(
      name: name, input: .init(name: "vectors", width: head.dimension),
      output: .init(name: "probabilities", width: head.classes.count))
    var members: [String] = []
    for (number, layers) in head.members.enumerated() {
      members.append(model.add(layers, of: number, input: "vectors", task: head.task))
    }
    let mean = model.add("Mean", members, as: "mean_probabilities")
    switch head.calibration {
    case .none: model.add("Identity", [mean], as: "probabilities")
    case .temperature(let temperature):
      model.add(temperature, correcting: mean, task: head.task, as: "probabilities")
    case .isotonic:
      throw Fault(
        .usage, "head \"\(name)\"", "has isotonic curves, which are not written as ONNX",
        remedy: "export it as safetensors, or calibrate by temperature")
    }
    model.describe("classes", try canonicalJSON(head.classes))
    model.describe("thresholds", try canonicalJSON(head.thresholds))
    model.describe("task", head.task.rawValue)
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
  /// Adds the layers of a member of an ensemble.
  /// - Returns: the name of its probabilities.
  fileprivate mutating func add(
    _ layers: [Head.Layer], of member: Int, input: String, task: ClassificationTask
  ) -> String {
    var last = input
    for (index, layer) in layers.enumerated() {
      let prefix = "member_\(member)_layer_\(index)"
      if index > 0 { last = add("Relu", [last], as: "\(prefix)_input") }
      let weights = add(layer.weights, shape: [layer.outputs, layer.inputs], as: "\(prefix)_weight")
      let biases = add(layer.biases, shape: [layer.outputs], as: "\(prefix)_bias")
      last = add("Gemm", [last, weights, biases], as: "\(prefix)_output", [("transB", 1)])
    }
    switch task {
    case .single: return add("Softmax", [last], as: "member_\(member)", [("axis", 1)])
    case .multi: return add("Sigmoid", [last], as: "member_\(member)")
    }
  }

  /// Adds a temperature T: of several labels 1 / (1 + ((1 - p) / p)^(1 / T)), of one p^(1 / T) over the sum of all, as
  /// `HeadCalibration` has them.
  fileprivate mutating func add(
    _ temperature: Double, correcting probabilities: String, task: ClassificationTask, as output: String
  ) {
    let exponent = add([Float(1 / temperature)], shape: [1], as: "temperature_exponent")
    switch task {
    case .single:
      let least = add([Float.leastNormalMagnitude], shape: [1], as: "temperature_least")
      let axes = add([1], as: "temperature_axes")
      let held = add("Max", [probabilities, least], as: "temperature_held")
      let powers = add("Pow", [held, exponent], as: "temperature_powers")
      let sums = add("ReduceSum", [powers, axes], as: "temperature_sums", [("keepdims", 1)])
      add("Div", [powers, sums], as: output)
    case .multi:
      let one = add([1.0], shape: [1], as: "temperature_one")
      let others = add("Sub", [one, probabilities], as: "temperature_others")
      let odds = add("Div", [others, probabilities], as: "temperature_odds")
      let powers = add("Pow", [odds, exponent], as: "temperature_powers")
      let sums = add("Add", [powers, one], as: "temperature_sums")
      add("Reciprocal", [sums], as: output)
    }
  }
}
