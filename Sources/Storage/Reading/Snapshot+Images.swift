import Faults

extension Snapshot {
  /// Calls `body` with each image, in order of their numbers.
  package func forEachImage(_ body: (_ number: UInt32, _ image: ImageRecord) throws -> Void) throws {
    try transaction.forEach(.images) { key, value in
      guard key.count == 4 else {
        throw Fault(.badData, "table \"images\"", "is damaged", remedy: "run cellvec check")
      }
      let number = key.bigEndian(at: 0, as: UInt32.self)
      try body(number, try transaction.decodeImage(value, number))
    }
  }
}
