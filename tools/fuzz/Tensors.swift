import Formats

/// Opens the bytes as one of the readers does and takes out every tensor; what is not a fault or a sound file ends
/// the program, which is how the fuzzer learns of it.
func exercise(
  _ start: UnsafePointer<UInt8>?, _ count: Int, open: ([UInt8]) throws -> any TensorFile
) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  do {
    let file = try open(bytes)
    var elements = 0
    for name in file.tensorNames {
      guard let shape = file.shape(of: name) else { fatalError("a tensor without a shape") }
      do {
        let values = try file.floats(of: name)
        guard values.count == shape.reduce(1, *) else { fatalError("a shape that is not its values'") }
        elements += values.count
      } catch {
        checkSentence(error)
      }
    }
    guard elements <= 2 * file.byteCount else { fatalError("more values than bytes can hold") }
  } catch {
    checkSentence(error)
  }
  return 0
}
