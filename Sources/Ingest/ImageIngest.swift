package import Backbone
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
  /// Reading, cutting of crops and commits go on beside the embedding, which the calling thread leads; crops of
  /// several images are embedded together, and an image with many cells in pieces. What the database gets is the same
  /// whatever was done at the same time.
  ///
  /// An image that cannot be read is recorded in the summary and passed over.
  /// - Parameters:
  ///   - isCancelled: asked after each call of the backbone, and about every second while there is nothing to embed;
  ///     what is embedded so far is committed.
  ///   - progress: called as often.
  /// - Throws: a fault of the database; images that were committed stay.
  package func run(
    into space: SpaceRecord, of writer: DatabaseWriter, isCancelled: () -> Bool,
    progress: (IngestProgress) -> Void
  ) throws -> IngestSummary {
    let reader = ImageReader(images: images, recipe: recipe, space: space, database: writer.database)
    let pipeline = try CropPipeline(imageCount: images.count, limits: limits, threads: max(2, threads)) {
      reader.read($0)
    }
    let commits = CommitQueue(writer)
    // The database may go once the run is over.
    defer {
      pipeline.finish()
      commits.wait()
    }
    var run = IngestRun(self, space: space, commits: commits)
    while let batch = run.timed(\.cropWaitTime, { pipeline.next() }) {
      try run.add(batch)
      pipeline.release(batch)
      progress(run.progress)
      if isCancelled() {
        run.summary.wasCancelled = true
        break
      }
    }
    return try run.finish()
  }

  /// Whole images by each thread of the backbone, some tens of crops, in reasonable memory, and no more than are
  /// committed at a time.
  private var limits: CropSchedule<ImageReader.Finding>.Limits {
    let cropValueCount = recipe.roles.count * recipe.crop.outputSizePx * recipe.crop.outputSizePx
    let crops = CropMemory.capacity(upTo: min(32 * threads, cellsPerCommit), cropValueCount: cropValueCount)
    return .init(
      // Whole rounds of the threads, where there is room for one.
      cropsPerBatch: crops < threads ? crops : crops / threads * threads, cropsInFirstBatch: 4 * threads,
      cropValueCount: cropValueCount, images: 2 * max(2, threads))
  }
}
