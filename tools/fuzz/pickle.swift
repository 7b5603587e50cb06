import Formats

/// The input is the pickle of an archive that is sound otherwise, so that its length may change.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  exercise(start, count) { pickle in
    // Storages of the keys that PyTorch gives first, of different lengths.
    let storages = [4, 8, 24, 40, 96].enumerated().map { key, byteCount in
      ("x/data/\(key)", [UInt8](repeating: 1, count: byteCount))
    }
    return try PyTorchFile(bytes: archive([("x/data.pkl", pickle)] + storages), name: "input")
  }
}
