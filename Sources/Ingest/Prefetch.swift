import Dispatch
import Synchronization

/// Computes results ahead of their use, a few at a time, and hands them out in order.
///
/// At most `window` results are under way or waiting, so memory is bounded however many there are in all.
final class Prefetch<Result: Sendable>: Sendable {
  private let count: Int
  private let window: Int
  private let produce: @Sendable (Int) -> Result
  private let slots: Mutex<[Int: Result]>
  private let ready: [DispatchSemaphore]
  private let work = DispatchGroup()
  private let queue = DispatchQueue(label: "cellvec.prefetch", attributes: .concurrent)

  init(count: Int, window: Int, _ produce: @escaping @Sendable (Int) -> Result) {
    self.count = count
    self.window = max(1, window)
    self.produce = produce
    slots = Mutex([:])
    ready = (0..<self.window).map { _ in DispatchSemaphore(value: 0) }
    for index in 0..<min(self.window, count) { start(index) }
  }

  /// The result of `index`. To be called once for each index, in order.
  func take(_ index: Int) -> Result {
    // Of the indices that share a semaphore, only this one is under way.
    ready[index % window].wait()
    guard let result = slots.withLock({ $0.removeValue(forKey: index) }) else {
      preconditionFailure("results are taken once and in order")
    }
    start(index + window)
    return result
  }

  /// Waits until nothing is under way; to be called where not every result was taken.
  func finish() { work.wait() }

  private func start(_ index: Int) {
    guard index < count else { return }
    queue.async(group: work) { [self] in
      let result = produce(index)
      slots.withLock { $0[index] = result }
      ready[index % window].signal()
    }
  }
}
