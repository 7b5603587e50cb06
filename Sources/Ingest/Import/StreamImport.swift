import Formats
package import Storage

/// Imports of arrays that come one after another, each of which is in the database when the next one is waited for.
package struct StreamImport {
  private let stream: NPYStream
  private let name: String
  private let isCancelled: @Sendable () -> Bool

  /// - Parameters:
  ///   - descriptor: open for reading, for as long as this lives.
  ///   - name: what faults and the images of the arrays are called.
  ///   - isCancelled: whether to end before the next commit.
  package init(descriptor: Int32, name: String, isCancelled: @escaping @Sendable () -> Bool) {
    self.name = name
    stream = NPYStream(descriptor: descriptor, name: name, isCancelled: isCancelled)
    self.isCancelled = isCancelled
  }

  /// How long an array that has begun to come may take before the one in front of it is made durable without it.
  private static let patienceMicroseconds = 1000

  /// Writes the vectors into a space as `VectorImport` does, until the stream ends. While an array is written and
  /// synchronised, another thread reads the next one, if that has begun to come: who waits for an answer before it is sent
  /// would otherwise wait for one thread more to wake another. The commit of an array that has come meanwhile makes the one
  /// before it durable, which is reported then.
  /// - Parameters:
  ///   - limit: rows committed at a time at most.
  ///   - report: called with each array once it is durable, in order, and the vectors that it has added.
  /// - Throws: as `VectorImport` and `NPYStream.next` do; what came before is in the database, and reported.
  package func run(
    into space: String, keeping asked: ScalarType?, of writer: DatabaseWriter, rowsPerCommit limit: Int?,
    report: (_ array: VectorImport, _ added: Int) throws -> Void
  ) throws {
    let stream = stream
    var number = 0
    var ahead: BackgroundResult<NPYMatrix?>?
    /// The last array, until it is reported.
    var last: (array: VectorImport, added: Int, commit: CommitNumber)?
    func reportLast() throws {
      guard let (array, added, commit) = last else { return }
      last = nil
      try writer.makeDurable(upTo: commit)
      try report(array, added)
    }
    func next() throws -> NPYMatrix? {
      guard let ahead else { return try stream.next() }
      if last != nil, !ahead.hasEnded(within: Self.patienceMicroseconds) { try reportLast() }
      return try ahead.value()
    }
    do {
      while let vectors = try next() {
        ahead = stream.hasBytes ? BackgroundResult { try stream.next() } : nil
        number += 1
        let array = try VectorImport(vectors, name: "array \(number) of \(name)")
        let added = try array.run(
          into: space, keeping: asked, of: writer, rowsPerCommit: limit,
          durable: ahead == nil ? .atOnce : .withNext,
          isCancelled: isCancelled, progress: { _ in })
        try reportLast()
        if isCancelled() { return }
        last = (array, added, writer.lastCommit)
        if ahead == nil { try reportLast() }
      }
    } catch {
      try reportLast()
      throw error
    }
    try reportLast()
  }
}
