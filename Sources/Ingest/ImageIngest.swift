package import Backbone
import Faults
import Identity
package import Imaging
package import Storage

/// A run of `cellvec ingest`: images of a folder become cells with vectors.
package struct ImageIngest: Sendable {
  package let images: [FieldOfView]
  package let recipe: Recipe
  package let embedder: Embedder
  package var metadata: ImageMetadata?
  package let threads: Int
  /// Cells embedded before they are committed; images are never split.
  package let cellsPerCommit: Int

  package static let defaultCellsPerCommit = 1_000

  package init(
    images: [FieldOfView], recipe: Recipe, embedder: Embedder, metadata: ImageMetadata?, threads: Int,
    cellsPerCommit: Int = defaultCellsPerCommit
  ) {
    self.images = images
    self.recipe = recipe
    self.embedder = embedder
    self.metadata = metadata
    self.threads = threads
    self.cellsPerCommit = cellsPerCommit
  }

  /// Embeds every image that is not yet in the space and commits whole images: killed at any moment and run
  /// again, it continues where it was.
  ///
  /// An image that cannot be read is recorded in the summary and passed over.
  /// - Parameters:
  ///   - isCancelled: asked after each image; the images done so far are committed.
  ///   - progress: called after each image.
  /// - Throws: a fault of the database; images that were committed stay.
  package func run(
    into space: SpaceRecord, of writer: DatabaseWriter, isCancelled: () -> Bool,
    progress: (IngestProgress) -> Void
  ) throws -> IngestSummary {
    var run = IngestRun(self, space: space, writer: writer)
    let reader = ImageReader(images: images, recipe: recipe, space: space, database: writer.database)
    let prefetch = Prefetch(count: images.count, window: threads + 1) { reader.read($0) }
    // The database may go once the run is over.
    defer { prefetch.finish() }
    for index in images.indices {
      try run.add(prefetch.take(index), from: images[index])
      progress(
        IngestProgress(
          imagesDone: index + 1, images: images.count, cells: run.summary.cells,
          failures: run.summary.failures.count))
      if isCancelled() {
        run.summary.wasCancelled = true
        break
      }
    }
    return try run.finish()
  }
}

/// What a run of ingest has done so far, and the images that wait for the next commit.
private struct IngestRun {
  /// Longest time between two commits.
  static let timePerCommit = Duration.seconds(5)

  var summary = IngestSummary()
  private let ingest: ImageIngest
  private let writer: DatabaseWriter
  private var batch: PendingImages
  private var names: [ContentHash: String] = [:]
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var lastCommit: ContinuousClock.Instant

  init(_ ingest: ImageIngest, space: SpaceRecord, writer: DatabaseWriter) {
    self.ingest = ingest
    self.writer = writer
    batch = PendingImages(space: space, metadata: ingest.metadata)
    start = clock.now
    lastCommit = start
    summary.images = ingest.images.count
    summary.metadata = ingest.metadata?.summary
  }

  mutating func add(_ prepared: ImageReader.Prepared, from source: FieldOfView) throws {
    summary.readTime += prepared.duration
    summary.bytesRead += prepared.byteCount
    let content = try prepared.content.get()
    if let identity = content.identity {
      if let original = names[identity] {
        summary.duplicates.append(DuplicateImage(name: source.name, original: original))
        return
      }
      names[identity] = source.name
    }
    switch content {
    case .failed(let fault):
      summary.failures.append(fault)
    case .known(let number, _):
      summary.unchanged += 1
      batch.addKnown(number, source)
    case .new(let image, let plan, let mask, let change):
      do {
        let vectors = try embed(plan, of: source)
        batch.addNew(image, source, plan, mask: mask, vectors)
        switch change {
        case .mask: summary.remasked += 1
        case .pixels: summary.replaced += 1
        case nil: break
        }
      } catch {
        summary.failures.append(Fault(error, of: source))
      }
    }
    if batch.cellCount >= ingest.cellsPerCommit || clock.now - lastCommit >= IngestRun.timePerCommit {
      try commit()
    }
  }

  /// - Throws: `badData` when a vector holds NaN or infinity.
  private mutating func embed(_ plan: CropPlan, of source: FieldOfView) throws -> [Float] {
    let begin = clock.now
    let vectors = try ingest.embedder.embed(
      plan, size: ingest.recipe.crop.outputSizePx, threads: ingest.threads)
    summary.embedTime += clock.now - begin
    guard vectors.allSatisfy(\.isFinite) else {
      throw Fault(
        .badData, source.name, expected: "vectors of finite numbers", found: "NaN or infinity",
        remedy: "look for pixels that are no numbers, or far too large")
    }
    summary.embedded += 1
    summary.cells += plan.cells.count
    summary.found += plan.cells.count + plan.dropped.values.reduce(0, +)
    summary.dropped.merge(plan.dropped, uniquingKeysWith: +)
    return vectors
  }

  mutating func finish() throws -> IngestSummary {
    try commit()
    summary.totalTime = clock.now - start
    return summary
  }

  private mutating func commit() throws {
    let begin = clock.now
    try batch.commit(to: writer)
    lastCommit = clock.now
    summary.commitTime += lastCommit - begin
  }
}
