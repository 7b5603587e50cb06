import Filter

/// The input is a condition with two parameters, one of them a number.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  do {
    _ = try Filter(text, parameters: ["p": ["a", "%"], "n": ["1"]])
    _ = try Filter(text)
  } catch {
    checkSentence(error)
  }
  return 0
}
