import Synchronization

@testable import Training

/// What a training reported, in order of arrival.
final class ProgressLog: Sendable {
  private let received = Mutex<[TrainingProgress]>([])

  var entries: [TrainingProgress] { received.withLock { $0 } }
  func append(_ progress: TrainingProgress) { received.withLock { $0.append(progress) } }
}
