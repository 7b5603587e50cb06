import Backbone
import Faults
import Imaging
import Storage

/// What a run of ingest has done so far, the image whose cells are being embedded, and the images that wait for the
/// next commit.
struct IngestRun {
  /// Longest time between two commits.
  private static let timePerCommit = Duration.seconds(5)

  var summary = IngestSummary()
  private(set) var imagesDone = 0
  private let ingest: ImageIngest
  private let commits: CommitQueue
  private var pending: PendingImages
  /// Vectors of the image of which further crops follow.
  private var vectors: [Float] = []
  private var embeddingFault: Fault?
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var lastCommit: ContinuousClock.Instant

  init(_ ingest: ImageIngest, space: SpaceRecord, commits: CommitQueue) {
    self.ingest = ingest
    self.commits = commits
    pending = PendingImages(space: space, metadata: ingest.metadata)
    start = clock.now
    lastCommit = start
    summary.images = ingest.images.count
    summary.metadata = ingest.metadata?.summary
  }

  var progress: IngestProgress {
    IngestProgress(
      imagesDone: imagesDone, images: ingest.images.count, cells: summary.cells,
      failures: summary.failures.count)
  }

  /// Calls `body`, adding its time to one of the summary's.
  mutating func timed<Result>(
    _ time: WritableKeyPath<IngestSummary, Duration>, _ body: () throws -> Result
  ) rethrows -> Result {
    let begin = clock.now
    defer { summary[keyPath: time] += clock.now - begin }
    return try body()
  }

  /// Embeds a batch, and takes down what became of its images.
  /// - Throws: a fault of the database.
  mutating func add(_ batch: CropBatch<ImageReader.Finding>) throws {
    summary.preparation += batch.work
    try commits.check()
    let result = Result { try embed(batch) }
    for part in batch.parts { try add(part, result) }
    if pending.cellCount >= ingest.cellsPerCommit || clock.now - lastCommit >= IngestRun.timePerCommit {
      try commit()
    }
  }

  mutating func finish() throws -> IngestSummary {
    try commit()
    let commits = commits
    timed(\.commitWaitTime) { commits.wait() }
    try commits.check()
    summary.commitTime = commits.time
    summary.totalTime = clock.now - start
    return summary
  }

  private mutating func embed(_ batch: CropBatch<ImageReader.Finding>) throws -> [Float] {
    guard let crops = batch.memory?.crops(0..<batch.cropCount) else { return [] }
    let ingest = ingest
    return try timed(\.embedTime) {
      try ingest.embedder.embed(
        crops: UnsafeBufferPointer(crops), count: batch.cropCount, height: ingest.recipe.crop.outputSizePx,
        width: ingest.recipe.crop.outputSizePx, threads: ingest.threads)
    }
  }

  private mutating func add(
    _ part: CropBatch<ImageReader.Finding>.Part, _ result: Result<[Float], any Error>
  ) throws {
    let source = ingest.images[part.image]
    if part.isLast { imagesDone = part.image + 1 }
    if let original = part.original {
      let name = ingest.images[original].name
      summary.duplicates.append(DuplicateImage(name: source.name, original: name))
      return
    }
    switch part.finding {
    case .broken(let error): throw error
    case .failed(let fault): summary.failures.append(fault)
    case .known(let number):
      summary.unchanged += 1
      pending.addKnown(number, source)
    case .new(let image, let change):
      take(part, result, of: source)
      if part.isLast { end(image, change, source) }
    }
  }

  /// Takes an image's vectors out of those of a batch.
  private mutating func take(
    _ part: CropBatch<ImageReader.Finding>.Part, _ result: Result<[Float], any Error>, of source: FieldOfView
  ) {
    guard embeddingFault == nil else { return }
    let dimension = ingest.embedder.dimension
    do {
      let part = try result.get()[part.crops.lowerBound * dimension..<part.crops.upperBound * dimension]
      guard part.allSatisfy(\.isFinite) else {
        throw Fault(
          .badData, source.name, expected: "vectors of finite numbers", found: "NaN or infinity",
          remedy: "look for pixels that are no numbers, or far too large")
      }
      vectors += part
    } catch {
      embeddingFault = Fault(error, of: source)
    }
  }

  private mutating func end(_ image: NewImage, _ change: ImageReader.Change?, _ source: FieldOfView) {
    defer {
      vectors = []
      embeddingFault = nil
    }
    if let embeddingFault {
      summary.failures.append(embeddingFault)
      return
    }
    pending.addNew(image, source, vectors)
    summary.embedded += 1
    if !image.blankRoles.isEmpty {
      summary.blank.append(BlankImage(name: source.name, roles: image.blankRoles))
    }
    if let small = image.small, !image.cells.isEmpty { summary.small.append(small) }
    if image.cells.isEmpty { summary.withoutCells.append(source.name) }
    summary.cells += image.cells.count
    summary.found += image.outcome.found
    summary.dropped.merge(image.outcome.dropped, uniquingKeysWith: +)
    switch change {
    case .mask: summary.remasked += 1
    case .pixels: summary.replaced += 1
    case nil: break
    }
  }

  private mutating func commit() throws {
    lastCommit = clock.now
    guard !pending.isEmpty else { return }
    let images = pending
    pending = PendingImages(space: images.space, metadata: images.metadata)
    let commits = commits
    try timed(\.commitWaitTime) { try commits.commit(images) }
  }
}
