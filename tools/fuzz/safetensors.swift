import Formats

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  exercise(start, count) { try SafetensorsFile(bytes: $0, name: "input") }
}
