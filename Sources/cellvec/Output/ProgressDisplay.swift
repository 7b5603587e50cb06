import Faults

/// What a long run says of itself on stderr: which text to write when. Pure: it is told the time.
struct ProgressDisplay: Sendable {
  enum Style: Sendable, Equatable {
    case silent
    /// A line of its own every `interval`.
    case plain
    /// One line that is written over, no wider than a terminal of this many columns.
    case live(columns: Int)
  }

  private static let plainInterval: Duration = .seconds(10)
  private static let liveInterval: Duration = .milliseconds(100)

  private let style: Style
  /// What is counted, in the plural: "images".
  private let unit: String
  private let total: Int?
  private(set) var done = 0
  private var note = ""
  private var lastShown: Duration = .zero
  private var isLineOpen = false

  init(_ style: Style, counting unit: String, of total: Int?) {
    self.style = style
    self.unit = unit
    self.total = total
  }

  /// Takes note of progress.
  /// - Parameters:
  ///   - note: a few words that change with the run, such as "3 failed".
  ///   - elapsed: time since the start of the run.
  /// - Returns: what to write to stderr now; nil for nothing.
  mutating func update(done: Int, note: String = "", at elapsed: Duration) -> String? {
    self.done = done
    self.note = escapingControls(in: note)
    switch style {
    case .silent: return nil
    case .plain:
      guard elapsed - lastShown >= Self.plainInterval else { return nil }
      lastShown = elapsed
      return line(at: elapsed) + "\n"
    case .live(let columns):
      guard !isLineOpen || elapsed - lastShown >= Self.liveInterval else { return nil }
      lastShown = elapsed
      isLineOpen = true
      return "\r" + line(at: elapsed).prefix(max(1, columns - 1)) + "\u{1B}[K"
    }
  }

  /// The last line, which stays.
  mutating func finish(at elapsed: Duration) -> String? {
    switch style {
    case .silent: return nil
    case .plain: return line(at: elapsed) + "\n"
    case .live(let columns):
      isLineOpen = false
      return "\r" + line(at: elapsed).prefix(max(1, columns - 1)) + "\u{1B}[K\n"
    }
  }

  /// Ends a line that was left open by a run that failed.
  mutating func abandon() -> String? {
    defer { isLineOpen = false }
    return isLineOpen ? "\n" : nil
  }

  /// "120/960 images (12%), 4.2 images/s, 3 min 20 s left, 3 failed"
  func line(at elapsed: Duration) -> String {
    var parts = [total.map { "\(done)/\($0) \(unit)\(percentage(of: $0))" } ?? "\(done) \(unit)"]
    let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
    if done > 0, seconds >= 0.1 {
      let rate = Double(done) / seconds
      parts.append("\(fixed(rate, decimals: rate < 10 ? 1 : 0)) \(unit)/s")
      if let total {
        parts.append(
          done < total
            ? "\(spelled(seconds: Double(total - done) / rate)) left" : "\(spelled(seconds: seconds)) in all")
      } else {
        parts.append("\(spelled(seconds: seconds)) so far")
      }
    }
    if !note.isEmpty { parts.append(note) }
    return parts.joined(separator: ", ")
  }

  private func percentage(of total: Int) -> String {
    total > 0 ? " (\(100 * done / total)%)" : ""
  }
}

/// A length of time as one would say it: "8 s", "3 min 20 s", "2 h 05 min".
func spelled(seconds: Double) -> String {
  let whole = Int(min(max(seconds, 0), 1e9).rounded())
  func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
  if whole < 60 { return "\(whole) s" }
  if whole < 3600 { return "\(whole / 60) min \(padded(whole % 60)) s" }
  return "\(whole / 3600) h \(padded(whole % 3600 / 60)) min"
}
