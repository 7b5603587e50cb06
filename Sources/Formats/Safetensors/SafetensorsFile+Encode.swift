extension SafetensorsFile {
  /// The bytes of a safetensors file with these float32 tensors. The same tensors and texts give the same
  /// bytes, in whatever order they come: tensors and texts are sorted by name, and the header is padded to a
  /// multiple of 8 bytes. Python's `safetensors` writes the same.
  ///
  /// Names must differ, must not be `__metadata__`, and shapes must fit their values: these are promises of the
  /// caller.
  package static func encode(
    tensors: [(name: String, shape: [Int], values: [Float])], metadata: [String: String] = [:]
  ) -> [UInt8] {
    let tensors = tensors.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    var fields: [String] = []
    if !metadata.isEmpty {
      let texts = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        .map { "\(quotedJSON($0.key)):\(quotedJSON($0.value))" }
      fields.append("\"__metadata__\":{\(texts.joined(separator: ","))}")
    }
    var offset = 0
    for (index, tensor) in tensors.enumerated() {
      precondition(index == 0 || tensors[index - 1].name != tensor.name, "two tensors named \(tensor.name)")
      precondition(tensor.name != "__metadata__", "a tensor with a reserved name")
      precondition(tensor.shape.reduce(1, *) == tensor.values.count, "shape and values of \(tensor.name)")
      let end = offset + tensor.values.count * 4
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      fields.append(
        "\(quotedJSON(tensor.name)):{\"dtype\":\"F32\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}"
      )
      offset = end
    }
    var header = Array("{\(fields.joined(separator: ","))}".utf8)
    while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }

    var file: [UInt8] = []
    file.reserveCapacity(8 + header.count + offset)
    Swift.withUnsafeBytes(of: UInt64(header.count).littleEndian) { file.append(contentsOf: $0) }
    file.append(contentsOf: header)
    // Float bits are little-endian as they lie in memory on every platform that Swift's Linux runs on.
    for tensor in tensors { tensor.values.withUnsafeBytes { file.append(contentsOf: $0) } }
    return file
  }
}
