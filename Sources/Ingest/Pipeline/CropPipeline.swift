import Imaging

/// Reads images and cuts their crops ahead of the thread that takes them, in the background.
final class CropPipeline<Finding: Sendable>: Sendable {
  private let schedule: Monitor<CropSchedule<Finding>>
  private let threads: BackgroundThreads

  /// - Parameter read: called for each image, by several threads at a time.
  /// - Throws: `inputOutput` when no thread can be started.
  init(
    imageCount: Int, limits: CropSchedule<Finding>.Limits, threads: Int,
    read: @escaping @Sendable (_ image: Int) -> ReadImage<Finding>
  ) throws {
    let schedule = Monitor(CropSchedule<Finding>(imageCount: imageCount, limits: limits))
    self.schedule = schedule
    self.threads = try BackgroundThreads(count: threads) {
      while true {
        switch schedule.wait(for: { $0.nextJob() }) {
        case .read(let number):
          let image = read(number)
          schedule.change { $0.didRead(image, number: number) }
        case .cut(let cut):
          let duration = ContinuousClock().measure {
            cut.plan.cut(cut.cells, into: cut.memory.crops(cut.crops))
          }
          schedule.change { $0.didCut(cut, in: duration) }
        case .stop: return
        }
      }
    }
  }

  /// Waits for the next batch, in order of images; nil after the last.
  /// - Parameter patience: after this long it is taken as it is, perhaps without any part.
  func next(patience: Duration = .seconds(1)) -> CropBatch<Finding>? {
    func take(_ schedule: inout CropSchedule<Finding>) -> CropBatch<Finding>?? {
      if let batch = schedule.takeBatch() { return .some(batch) }
      return schedule.isDone ? .some(nil) : nil
    }
    if let next = schedule.wait(upTo: patience, for: take) { return next }
    schedule.change { $0.closeBatch() }
    return schedule.wait(for: take)
  }

  /// Gives a batch back when its crops have been used.
  func release(_ batch: CropBatch<Finding>) { schedule.change { $0.release(batch) } }

  /// Stops, and waits until nothing is under way; to be called once, whether or not all batches were taken.
  func finish() {
    schedule.change { $0.stop() }
    threads.join()
  }
}
