import Testing

@testable import Formats

@Suite struct ONNXModelTests {
  /// 300 is AC 02 in the description of the encoding; tools/parity/heads has whole models read by onnx.
  @Test func fieldsAreThoseOfTheWireFormat() {
    var inner = ProtobufMessage()
    inner.add(1, "ab")
    var message = ProtobufMessage()
    message.add(1, 300)
    message.add(16, inner)
    message.add(3, 0)
    #expect(
      message.bytes == [0x08, 0xAC, 0x02, 0x82, 0x01, 0x04, 0x0A, 0x02, 0x61, 0x62, 0x18, 0x00])
  }

  @Test func modelsNameTheirInputsAndVersions() {
    var model = ONNXModel(name: "g", input: .init(name: "x", width: 2), output: .init(name: "y", width: 1))
    model.add("Relu", ["x"], as: "y")
    model.describe("k", "v")
    let bytes = model.encoded
    // ir_version 7, producer_name.
    #expect(bytes.starts(with: [0x08, 0x07, 0x12, 0x07] + Array("cellvec".utf8)))
    // opset_import of the default domain, version 13, then the text.
    #expect(
      Array(bytes.suffix(14)) == [
        0x42, 0x04, 0x0A, 0x00, 0x10, 0x0D, 0x72, 0x06, 0x0A, 0x01, 0x6B, 0x12, 0x01, 0x76,
      ])
    #expect(model.nodes.map(\.type) == ["Relu"])
  }
}
