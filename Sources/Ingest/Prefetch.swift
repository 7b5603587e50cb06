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
    let semaphore = ready[index % window]
    while true {
      semaphore.wait()
      if let result = slots.withLock({ $0.removeValue(forKey: index) }) {
        start(index + window)
        return result
      }
    }
  }

  private func start(_ index: Int) {
    guard index < count else { return }
    queue.async { [self] in
      let result = produce(index)
      slots.withLock { $0[index] = result }
      ready[index % window].signal()
    }
  }
}
