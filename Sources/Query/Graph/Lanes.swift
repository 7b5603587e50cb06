import Dispatch

/// Calls `body` once for each lane, at the same time, with its share of `count` things that follow one another.
package func inLanes(_ lanes: Int, of count: Int, _ body: (_ lane: Int, _ share: Range<Int>) -> Void) {
  withoutActuallyEscaping(body) { body in
    // It must keep lanes from one another's memory.
    nonisolated(unsafe) let body = body
    DispatchQueue.concurrentPerform(iterations: lanes) { lane in
      body(lane, count * lane / lanes..<count * (lane + 1) / lanes)
    }
  }
}

/// What `body` gives for each lane's share of `count` things, in order. Lanes run at the same time.
/// - Throws: what the first of those that throw does, when all have ended.
package func valuesOfLanes<Value>(
  _ lanes: Int, of count: Int, _ body: (_ share: Range<Int>) throws -> Value
) throws -> [Value] {
  var outcomes: [Result<Value, any Error>?] = Array(repeating: nil, count: lanes)
  outcomes.withUnsafeMutableBufferPointer { outcomes in
    inLanes(lanes, of: count) { lane, share in outcomes[lane] = Result { try body(share) } }
  }
  return try outcomes.compactMap { try $0?.get() }
}
