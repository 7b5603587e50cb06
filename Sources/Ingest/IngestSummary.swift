package import Faults
import Imaging

/// What an ingest run did.
package struct IngestSummary: Sendable, Equatable {
  /// Images that the folder holds, those that lack a file or have two for one channel among them.
  package var images = 0
  /// Images that were in the space already; no inference was run for them.
  package var unchanged = 0
  /// Images embedded in this run.
  package var embedded = 0
  /// Images embedded again since their mask has changed; cells that it no longer has are still there.
  package var remasked = 0
  /// Images whose name the database had with other pixels or channels; the earlier cells are still there.
  package var replaced = 0
  /// Images with the same pixels as another image of the run.
  package var duplicates: [DuplicateImage] = []
  /// Images embedded in this run of which a channel shows nothing.
  package var blank: [BlankImage] = []
  /// Images embedded in this run that are smaller than the squares that are cut out of them.
  package var small: [SmallImage] = []
  /// Names of images embedded in this run in which no cell was found, or none that was not left out.
  package var withoutCells: [String] = []
  /// Images that could not be used.
  package var failures: [Fault] = []
  /// Objects found in the images embedded in this run.
  package var found = 0
  /// Cells embedded in this run.
  package var cells = 0
  /// Objects left out, by reason.
  package var dropped: [String: Int] = [:]
  /// What all threads did that prepared crops beside the embedding.
  package var preparation = PreparationWork()
  /// Time of the commits, beside the embedding too.
  package var commitTime = Duration.zero
  /// How the time of the thread that leads the embedding was spent: in the backbone, or waiting for crops, or for a
  /// commit that had to end before the next.
  package var embedTime = Duration.zero
  package var cropWaitTime = Duration.zero
  package var commitWaitTime = Duration.zero
  package var totalTime = Duration.zero
  package var wasCancelled = false
  package var metadata: MetadataSummary?

  package init() {}

  /// The share of the run's time, in 0...1, in which the backbone was at work.
  package var backboneShare: Double { totalTime > .zero ? embedTime / totalTime : 0 }
}

/// An image whose channels equal those of another one, pixel by pixel: its cells are that image's.
package struct DuplicateImage: Sendable, Equatable {
  package let name: String
  package let original: String

  package init(name: String, original: String) {
    self.name = name
    self.original = original
  }
}

/// An image with channels whose pixels are all equal, as where the light was off or a file is a placeholder.
package struct BlankImage: Sendable, Equatable {
  package let name: String
  package let roles: [String]

  package init(name: String, roles: [String]) {
    self.name = name
    self.roles = roles
  }
}

/// An image that is smaller than the squares around its cells.
package struct SmallImage: Sendable, Equatable {
  package let name: String
  package let width: Int
  package let height: Int
  /// The side of the squares.
  package let squarePx: Int

  /// nil for an image in which a square has room.
  init?(_ image: FieldImage, _ plan: CropPlan) {
    guard let squarePx = plan.squareBeyondImagePx else { return nil }
    name = image.name
    width = image.width
    height = image.height
    self.squarePx = squarePx
  }
}

/// How a metadata table met the images.
package struct MetadataSummary: Sendable, Equatable {
  /// Columns that the join compared, and what with.
  package let join: String
  package let matchedImages: Int
  /// Names of images without a row.
  package let unmatchedImages: [String]
  /// Lines of the table whose row no image matched.
  package let unmatchedLines: [Int]
  /// Fields left out because rows of one image contradict each other, with the number of such images.
  package let contradictions: [String: Int]
  /// Columns that did not become fields, since reports have columns of their names; the join may use them.
  package let skippedColumns: [String]
}

/// How far a run has come.
package struct IngestProgress: Sendable {
  package let imagesDone: Int
  package let images: Int
  package let cells: Int
  package let failures: Int
}
