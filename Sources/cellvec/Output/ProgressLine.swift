import Synchronization

/// Shows on stderr how far a run is. Any thread may report.
final class ProgressLine: Sendable {
  private let display: Mutex<ProgressDisplay>
  private let start: ContinuousClock.Instant = .now

  /// - Parameter total: how many there will be; nil when that is not known.
  init(counting unit: String, of total: Int?, isQuiet: Bool, terminal: Terminal = .current) {
    let style: ProgressDisplay.Style =
      isQuiet ? .silent : terminal.progressWidth.map { .live(columns: $0) } ?? .plain
    display = Mutex(ProgressDisplay(style, counting: unit, of: total))
  }

  deinit { show { $0.abandon() } }

  func update(done: Int, note: String = "") {
    show { $0.update(done: done, note: note, at: .now - start) }
  }

  /// One more is done.
  func advance() {
    show { $0.update(done: $0.done + 1, at: .now - start) }
  }

  func finish() {
    show { $0.finish(at: .now - start) }
  }

  private func show(_ change: (inout ProgressDisplay) -> String?) {
    display.withLock { display in
      if let text = change(&display) { StandardError.write(text) }
    }
  }
}
