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
