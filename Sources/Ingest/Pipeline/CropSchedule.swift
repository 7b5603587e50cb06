import Identity
import Imaging

/// Which image is to be read next, and which cells are to be cut next: where all images of a run and all batches of
/// crops stand. It does nothing itself; threads ask for jobs and tell when these are done.
///
/// Images are read ahead, a few at a time, and dealt into batches strictly in their order, so that batches are the
/// same whatever the threads do, unless one is wanted before it is full. What lies in memory is bounded: at most
/// `Limits.images` images and about `Limits.byteCount` of their pixels wait, at most `Limits.batches` batches exist.
struct CropSchedule<Finding: Sendable>: Sendable {
  struct Limits: Sendable {
    /// Crops of a full batch.
    var cropsPerBatch: Int
    /// Crops of the first batch. Each that follows has twice as many, up to `cropsPerBatch`: the backbone starts
    /// before many images are read.
    var cropsInFirstBatch = Int.max
    /// Values of a crop.
    var cropValueCount: Int
    /// Batches that are filled, wait, or are being embedded.
    var batches = 3
    /// Images that are read or wait to be dealt.
    var images: Int
    /// No further image is read while those that wait hold this much.
    var byteCount = 256 << 20
    /// Cells that one job cuts.
    var cellsPerCut = 16
  }

  enum Job: Sendable {
    case read(image: Int)
    case cut(Cut)
    case stop
  }

  struct Cut: Sendable {
    let plan: CropPlan
    let cells: Range<Int>
    let memory: CropMemory
    /// Where in the batch, and in which, counted from the first of the run.
    let crops: Range<Int>
    let batch: Int
  }

  private let limits: Limits
  private let imageCount: Int
  private var startedReads = 0
  private var dealtImages = 0
  /// Images that were read, until it is their turn.
  private var waiting: [Int: ReadImage<Finding>] = [:]
  private(set) var waitingByteCount = 0
  /// The image whose cells are being dealt, and the first of them that is not.
  private var dealing: (image: ReadImage<Finding>, original: Int?, nextCell: Int)?
  private var imageByContent: [ContentHash: Int] = [:]
  /// In order; the last may be open for more.
  private var batches: [OpenBatch<Finding>] = []
  /// Crops that the next batch is to have.
  private var nextCapacity: Int
  private var takenBatches = 0
  private var unreleasedBatches = 0
  private var spareMemory: [CropMemory] = []
  private var isStopped = false

  init(imageCount: Int, limits: Limits) {
    self.imageCount = imageCount
    self.limits = limits
    nextCapacity = min(limits.cropsInFirstBatch, limits.cropsPerBatch)
  }

  // MARK: For the threads that read and cut

  /// What is to be done now; nil when there is nothing before something else is done. What is nearest to the
  /// backbone comes first.
  mutating func nextJob() -> Job? {
    if isStopped { return .stop }
    if let cut = nextCut() { return .cut(cut) }
    if dealtImages == imageCount { return .stop }
    guard startedReads < imageCount, startedReads - dealtImages < limits.images,
      waitingByteCount < limits.byteCount
    else { return nil }
    startedReads += 1
    return .read(image: startedReads - 1)
  }

  mutating func didRead(_ image: ReadImage<Finding>, number: Int) {
    waiting[number] = image
    waitingByteCount += image.plan?.byteCount ?? 0
  }

  mutating func didCut(_ cut: Cut, in time: Duration) {
    let position = cut.batch - takenBatches
    batches[position].cropsToCut -= cut.crops.count
    batches[position].batch.work.cutTime += time
  }

  /// No more jobs.
  mutating func stop() { isStopped = true }

  // MARK: For the thread that embeds

  /// The next batch with all its crops; nil when it is not ready.
  mutating func takeBatch() -> CropBatch<Finding>? {
    guard let first = batches.first, first.isFull, first.cropsToCut == 0 else { return nil }
    takenBatches += 1
    return batches.removeFirst().batch
  }

  /// Lets the next batch be taken as it is, even empty, once what was dealt is cut.
  mutating func closeBatch() {
    guard batches.allSatisfy({ !$0.isFull }), let last = openBatch() else { return }
    batches[last].isFull = true
  }

  /// Whether every batch has been taken.
  var isDone: Bool { dealtImages == imageCount && batches.isEmpty }

  /// Gives back a batch whose crops nobody needs any more.
  mutating func release(_ batch: CropBatch<Finding>) {
    unreleasedBatches -= 1
    if let memory = batch.memory { spareMemory.append(memory) }
  }

  // MARK: Dealing

  /// Deals what has been read, up to the next cells that are to be cut.
  private mutating func nextCut() -> Cut? {
    while dealing != nil || beginImage() {
      guard let last = openBatch(), let (image, original, first) = dealing else { return nil }
      let cellCount = image.plan?.cells.count ?? 0
      let capacity = batches[last].capacity
      let room = capacity - batches[last].batch.cropCount
      let cells = first..<min(cellCount, first + min(room, limits.cellsPerCut))
      let isLast = cells.upperBound == cellCount
      let crops = batches[last].add(
        cells.count, of: image, number: dealtImages, original: original, isFirst: first == 0, isLast: isLast)
      dealing?.nextCell = cells.upperBound
      if isLast { endImage() }
      batches[last].isFull =
        max(crops.upperBound, batches[last].batch.parts.count) == capacity
        || dealtImages == imageCount
      guard !cells.isEmpty, let plan = image.plan else { continue }
      let memory = batches[last].batch.memory ?? makeMemory()
      batches[last].batch.memory = memory
      return Cut(plan: plan, cells: cells, memory: memory, crops: crops, batch: takenBatches + last)
    }
    return nil
  }

  /// Whether the next image has been read, and is dealt from now on.
  private mutating func beginImage() -> Bool {
    guard var image = waiting.removeValue(forKey: dealtImages) else { return false }
    let original = image.content.flatMap { imageByContent[$0] }
    if original != nil {
      waitingByteCount -= image.plan?.byteCount ?? 0
      image.plan = nil
    } else if let content = image.content {
      imageByContent[content] = dealtImages
    }
    dealing = (image, original, 0)
    return true
  }

  private mutating func endImage() {
    waitingByteCount -= dealing?.image.plan?.byteCount ?? 0
    dealing = nil
    dealtImages += 1
  }

  /// The position of the last batch, which has room; nil when there are as many batches as there may be.
  private mutating func openBatch() -> Int? {
    if batches.last?.isFull != false {
      guard unreleasedBatches < limits.batches else { return nil }
      unreleasedBatches += 1
      batches.append(OpenBatch(capacity: nextCapacity))
      nextCapacity = min(2 * nextCapacity, limits.cropsPerBatch)
    }
    return batches.count - 1
  }

  private mutating func makeMemory() -> CropMemory {
    spareMemory.popLast()
      ?? CropMemory(capacity: limits.cropsPerBatch, cropValueCount: limits.cropValueCount)
  }
}

/// A batch on its way to the thread that embeds.
private struct OpenBatch<Finding: Sendable>: Sendable {
  let capacity: Int
  var batch = CropBatch<Finding>()
  var cropsToCut = 0
  /// Whether nothing is added any more.
  var isFull = false

  /// Adds crops of an image, to its part if it has one.
  /// - Returns: their places in the batch.
  mutating func add(
    _ count: Int, of image: ReadImage<Finding>, number: Int, original: Int?, isFirst: Bool, isLast: Bool
  ) -> Range<Int> {
    let crops = batch.cropCount..<batch.cropCount + count
    if var part = batch.parts.last, part.image == number {
      part.crops = part.crops.lowerBound..<crops.upperBound
      part.isLast = isLast
      batch.parts[batch.parts.count - 1] = part
    } else {
      batch.parts.append(
        CropBatch.Part(
          image: number, finding: image.finding, original: original, crops: crops, isLast: isLast))
    }
    if isFirst { batch.work += image.work }
    batch.cropCount = crops.upperBound
    cropsToCut += count
    return crops
  }
}
