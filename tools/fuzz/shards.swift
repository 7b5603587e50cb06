import Faults
import Formats

/// The input is the index of two files that are sound and whose tensors are known.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  exercise(start, count) { index in
    let file = try openTensorFile(index: index, name: "m/model.safetensors.index.json", shards: shards)
    // The files tell which tensors there are; an index that says otherwise of one that it names is refused.
    let named = file.files.map(\.path)
    guard named == named.sorted(), file.tensorNames == named.flatMap({ tensors[$0] ?? [] }).sorted() else {
      fatalError("other tensors than those of the files: \(named), \(file.tensorNames)")
    }
    return file
  }
}

private let tensors = ["m/a.safetensors": ["norm", "bias"], "m/b.safetensors": ["head"]]

private let shards: [String: [UInt8]] = [
  "m/a.safetensors": SafetensorsFile.encode(tensors: [("norm", [1], [1]), ("bias", [1], [2])]),
  "m/b.safetensors": SafetensorsFile.encode(tensors: [("head", [2], [3, 4])]),
]
