import Synchronization

/// The last documents of one kind that were noted, by their bytes: a program that commits cell by cell would
/// decode the same ones thousands of times. What stands in the database is always looked at; only its meaning is known.
final class KnownDocuments<Value: Sendable>: Sendable {
  private static var limit: Int { 8 }

  private let known = Mutex<[(bytes: [UInt8], value: Value)]>([])

  /// The value that these bytes stand for; nil where that is not known.
  func value(of bytes: UnsafeRawBufferPointer) -> Value? {
    known.withLock { known in
      known.last { document in
        document.bytes.count == bytes.count
          && document.bytes.withUnsafeBytes { order($0, bytes) == 0 }
      }?.value
    }
  }

  func note(_ bytes: [UInt8], is value: Value) {
    known.withLock { known in
      if known.count == Self.limit { known.removeFirst() }
      known.append((bytes, value))
    }
  }
}
