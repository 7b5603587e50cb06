import Dispatch

/// What work on another thread comes to, while this one does something else.
///
/// Unchecked: the result is written once, before the group is left, and read after that.
final class BackgroundResult<Value: Sendable>: @unchecked Sendable {
  private let group = DispatchGroup()
  private var result: Result<Value, any Error>?

  init(_ body: @escaping @Sendable () throws -> Value) {
    DispatchQueue.global().async(group: group) { [self] in result = Result(catching: body) }
  }

  /// Waits for the work to end, but no longer than so many microseconds.
  /// - Returns: whether it has ended.
  func hasEnded(within microseconds: Int) -> Bool {
    group.wait(timeout: .now() + .microseconds(microseconds)) == .success
  }

  /// Waits for the work to end.
  /// - Throws: what the work threw.
  func value() throws -> Value {
    group.wait()
    guard let result else { preconditionFailure("the work has ended") }
    return try result.get()
  }
}
