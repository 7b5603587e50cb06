import Faults

/// What a file of weights is, by its first bytes.
enum WeightsFormat: Equatable {
  case pyTorch
  /// Also what may be one that is damaged: its reader says what is wrong.
  case safetensors
  /// Something that we do not read, and what to do about it.
  case other(String, remedy: String)

  init(of file: UnsafeRawBufferPointer) {
    // Checked first: the length that begins a safetensors file may look like any other beginning.
    if Self.isSafetensors(file) {
      self = .safetensors
    } else if file.starts(with: [0x50, 0x4B]) && file.count >= 4 && file[2] < 8 {
      self = .pyTorch
    } else if file.count >= 2, file[0] == 0x80, (2...5).contains(file[1]) {
      self = .pyTorch
    } else if let (_, format, remedy) = Self.others.first(where: { file.holds($0.0.text, at: $0.0.place) }) {
      self = .other(format, remedy: remedy)
    } else if file.count >= 3, file[0] == 0x08, (3...20).contains(file[1]), file[2] == 0x12 {
      // Its first field is a small number, its second the name of the program that wrote it.
      self = .other("an ONNX model", remedy: Self.convert)
    } else if file.count < 8 {
      self = .other(
        file.isEmpty ? "an empty file" : "a file of \(file.count) bytes", remedy: "fetch it again")
    } else if Self.headerByteCount(of: file) > SafetensorsHeader.maximumByteCount {
      self = .other("something else", remedy: "give the file that torch.save or safetensors wrote")
    } else {
      self = .safetensors
    }
  }

  private static func headerByteCount(of file: UnsafeRawBufferPointer) -> UInt64 {
    UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
  }

  /// A length that the reader accepts, and the brace that begins a header.
  private static func isSafetensors(_ file: UnsafeRawBufferPointer) -> Bool {
    guard file.count > 8, file[8] == UInt8(ascii: "{") else { return false }
    return headerByteCount(of: file) <= SafetensorsHeader.maximumByteCount
  }

  private static let convert =
    "load the model with the library that wrote it and save its tensors with safetensors.torch.save_file"

  private static let others: [((text: [UInt8], place: Int), format: String, remedy: String)] = [
    (
      (Array("ustar".utf8), 257), "a tar archive",
      "unpack it; PyTorch before 0.2 wrote these: load it with torch.load and save it again"
    ),
    (([0x89] + Array("HDF\r\n".utf8), 0), "an HDF5 file (Keras, h5)", convert),
    ((Array("GGUF".utf8), 0), "a GGUF file", "give the checkpoint that it was converted from"),
    ((Array("TFL3".utf8), 4), "a TensorFlow Lite model", convert),
    (([0x93] + Array("NUMPY".utf8), 0), "a NumPy array", "give the file of the model's weights"),
    ((Array("{".utf8), 0), "a JSON file", "give the file of weights that lies beside it"),
    (([0x1F, 0x8B], 0), "a gzip-compressed file", "unpack it with gunzip"),
    (
      (Array("version https://git-lfs".utf8), 0), "a Git LFS pointer",
      "fetch the file itself with git lfs pull"
    ),
    ((Array("<!DOCTYPE".utf8), 0), "a web page", "fetch the file again: its server sent a page instead"),
    ((Array("<!doctype".utf8), 0), "a web page", "fetch the file again: its server sent a page instead"),
    ((Array("<html".utf8), 0), "a web page", "fetch the file again: its server sent a page instead"),
  ]
}

extension UnsafeRawBufferPointer {
  fileprivate func holds(_ text: [UInt8], at place: Int) -> Bool {
    count >= place + text.count && self[place..<place + text.count].elementsEqual(text)
  }
}
