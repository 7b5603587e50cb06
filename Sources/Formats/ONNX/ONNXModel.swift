/// A model in the format of ONNX, of operators that take and give float32 tensors.
///
/// Numbers of fields are those of onnx.proto; operators are of version 13.
package struct ONNXModel: Sendable {
  /// An operator: what goes in and comes out, by name.
  package struct Node: Sendable {
    let type: String
    let inputs: [String]
    let output: String
    let integers: [(name: String, value: Int)]

    package init(
      _ type: String, _ inputs: [String], output: String, integers: [(name: String, value: Int)] = []
    ) {
      self.type = type
      self.inputs = inputs
      self.output = output
      self.integers = integers
    }
  }

  /// Rows of so many numbers, as many as there are.
  package struct Rows: Sendable {
    let name: String
    let width: Int

    package init(name: String, width: Int) {
      self.name = name
      self.width = width
    }
  }

  package let name: String
  package let input: Rows
  package let output: Rows
  /// In an order in which each finds its inputs.
  package private(set) var nodes: [Node] = []
  private var constants: [ProtobufMessage] = []
  private var metadata: [(key: String, value: String)] = []

  package init(name: String, input: Rows, output: Rows) {
    self.name = name
    self.input = input
    self.output = output
  }

  /// Adds an operator.
  /// - Returns: the name of what comes out.
  @discardableResult package mutating func add(
    _ type: String, _ inputs: [String], as output: String, _ integers: [(name: String, value: Int)] = []
  ) -> String {
    nodes.append(Node(type, inputs, output: output, integers: integers))
    return output
  }

  /// Adds a tensor of constants, row-major.
  /// - Returns: its name.
  @discardableResult package mutating func add(_ values: [Float], shape: [Int], as name: String) -> String {
    precondition(shape.reduce(1, *) == values.count)
    var tensor = ProtobufMessage()
    for length in shape { tensor.add(1, length) }
    tensor.add(2, Self.float)
    tensor.add(8, name)
    var bytes: [UInt8] = []
    for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 } }
    tensor.add(9, bytes)
    constants.append(tensor)
    return name
  }

  /// Adds a text that readers find beside the graph.
  package mutating func describe(_ key: String, _ value: String) { metadata.append((key, value)) }

  /// The number of `TensorProto.DataType`.
  private static let float = 1
  /// The version of the format that first has operators of this version, and that version.
  private static let formatVersion = 7
  private static let operatorVersion = 13

  /// The bytes of the file.
  package var encoded: [UInt8] {
    var graph = ProtobufMessage()
    for node in nodes { graph.add(1, Self.message(node)) }
    graph.add(2, name)
    for constant in constants { graph.add(5, constant) }
    graph.add(11, Self.message(input))
    graph.add(12, Self.message(output))

    var operators = ProtobufMessage()
    operators.add(1, "")
    operators.add(2, Self.operatorVersion)

    var model = ProtobufMessage()
    model.add(1, Self.formatVersion)
    model.add(2, "cellvec")
    model.add(7, graph)
    model.add(8, operators)
    for (key, value) in metadata {
      var entry = ProtobufMessage()
      entry.add(1, key)
      entry.add(2, value)
      model.add(14, entry)
    }
    return model.bytes
  }

  private static func message(_ node: Node) -> ProtobufMessage {
    var message = ProtobufMessage()
    for input in node.inputs { message.add(1, input) }
    message.add(2, node.output)
    message.add(3, node.output)
    message.add(4, node.type)
    for (name, value) in node.integers {
      var attribute = ProtobufMessage()
      attribute.add(1, name)
      attribute.add(3, value)
      // AttributeProto.INT
      attribute.add(20, 2)
      message.add(5, attribute)
    }
    return message
  }

  private static func message(_ rows: Rows) -> ProtobufMessage {
    var (count, width) = (ProtobufMessage(), ProtobufMessage())
    count.add(2, "samples")
    width.add(1, rows.width)
    var shape = ProtobufMessage()
    shape.add(1, count)
    shape.add(1, width)
    var tensor = ProtobufMessage()
    tensor.add(1, float)
    tensor.add(2, shape)
    var type = ProtobufMessage()
    type.add(1, tensor)
    var value = ProtobufMessage()
    value.add(1, rows.name)
    value.add(2, type)
    return value
  }
}
