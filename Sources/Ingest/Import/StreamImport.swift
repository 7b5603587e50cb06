import Formats
package import Storage

/// Imports of arrays that come one after another, each of which is in the database when the next one is waited for.
package struct StreamImport {
  private let stream: NPYStream
  private let name: String
  private let isCancelled: @Sendable () -> Bool

  /// What is told of an array that was imported; not its vectors, which the memory of later ones takes the place of.
  package struct Imported {
    package let dimension: Int
    package let count: Int
    package let outcome: VectorImport.Outcome
  }

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
  /// would otherwise wait for one thread more to wake another. The first commit of an array that has come meanwhile makes the
  /// one before it durable, which is reported then.
  /// - Parameters:
  ///   - limit: rows committed at a time at most.
  ///   - report: called with each array once it is durable, in order.
  /// - Returns: how many vectors were added of an array that was not reported, since the run was cancelled in it.
  /// - Throws: as `VectorImport` and `NPYStream.next` do. What came before is in the database, and reported, unless the disk
  ///   has failed: then the last array before may be there and not be reported.
  @discardableResult
  package func run(
    into space: String, keeping asked: ScalarType?, of writer: DatabaseWriter, rowsPerCommit limit: Int?,
    report: (Imported) throws -> Void
  ) throws -> Int {
    let stream = stream
    var number = 0
    var unreportedCount = 0
    var ahead: BackgroundResult<NPYMatrix?>?
    /// The last array, until it is reported.
    var last: (array: Imported, commit: CommitNumber)?
    func reportLast() throws {
      guard let (array, commit) = last else { return }
      last = nil
      try writer.makeDurable(upTo: commit)
      try report(array)
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
        let outcome = try array.run(
          into: space, keeping: asked, of: writer, rowsPerCommit: limit,
          durable: ahead == nil ? .atOnce : .withNext,
          isCancelled: isCancelled, progress: { _ in try reportLast() })
        if isCancelled() {
          unreportedCount = outcome.added
          break
        }
        last = (
          Imported(dimension: array.dimension, count: array.count, outcome: outcome), writer.lastCommit
        )
        if ahead == nil { try reportLast() }
      }
    } catch {
      // The first error says what went wrong. An array of which it is not sure that the disk has it is only not reported.
      _ = Result { try reportLast() }
      throw error
    }
    try reportLast()
    if unreportedCount > 0 { try writer.makeDurable(upTo: writer.lastCommit) }
    return unreportedCount
  }
}
