import Identity
import Imaging

/// An image that has been read, on its way to its crops.
struct ReadImage<Finding: Sendable>: Sendable {
  /// What the reader knows of it, for whom the crops are.
  let finding: Finding
  /// Where its crops come from; nil when none are wanted.
  var plan: CropPlan?
  /// Of images with the same content only the first is cut. Nil for an image that is like no other.
  let content: ContentHash?
  let work: PreparationWork
}

/// What it took to make crops ready. Threads work side by side, so times may add up to more than the wall's.
package struct PreparationWork: Sendable, Equatable {
  package internal(set) var bytesRead = 0
  /// Time of reading and decoding files, of finding cells in them, and of cutting these out.
  package internal(set) var readTime = Duration.zero
  package internal(set) var findTime = Duration.zero
  package internal(set) var cutTime = Duration.zero

  static func += (sum: inout PreparationWork, part: PreparationWork) {
    sum.bytesRead += part.bytesRead
    sum.readTime += part.readTime
    sum.findTime += part.findTime
    sum.cutTime += part.cutTime
  }
}

/// Crops of images that follow one another, to be embedded by one call.
struct CropBatch<Finding: Sendable>: Sendable {
  /// An image's share in the batch. A crowded image has parts in several batches.
  struct Part: Sendable {
    /// The image's position among all.
    let image: Int
    let finding: Finding
    /// An earlier image with the same content; this one has no crops.
    let original: Int?
    /// Its crops, by their positions in the batch.
    var crops: Range<Int>
    /// Whether no batch that follows has more of the image.
    var isLast: Bool
  }

  var parts: [Part] = []
  var cropCount = 0
  var work = PreparationWork()
  /// Nil in a batch without crops.
  var memory: CropMemory?
}

/// Room for the crops of a batch.
///
/// - Shape: [capacity, cropValueCount]
///
/// Unchecked: threads write to different crops, and nobody reads before all are written.
final class CropMemory: @unchecked Sendable {
  private let values: UnsafeMutableBufferPointer<Float>
  private let cropValueCount: Int

  init(capacity: Int, cropValueCount: Int) {
    values = .allocate(capacity: capacity * cropValueCount)
    self.cropValueCount = cropValueCount
  }

  deinit { values.deallocate() }

  /// How many crops lie in reasonable memory, 64 MB: at most `count`, and one however large it is.
  static func capacity(upTo count: Int, cropValueCount: Int) -> Int {
    max(1, min(count, (64 << 20) / (MemoryLayout<Float>.stride * cropValueCount)))
  }

  /// Where these crops lie. Must not outlive the memory.
  func crops(_ range: Range<Int>) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(
      rebasing: values[range.lowerBound * cropValueCount..<range.upperBound * cropValueCount])
  }
}
