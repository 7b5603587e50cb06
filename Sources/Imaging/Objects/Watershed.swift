/// Cuts a mask into basins around the summits of a landscape.
///
/// Pixels are taken from the highest to the lowest. One without a labelled neighbour starts a basin; any other
/// joins the neighbour that is highest. Where two basins meet, they are one if the lower summit rises less than
/// `dynamics` of its own height above the pass between them, so small bumps do not cut an object.
/// - Parameters:
///   - landscape: heights above 0 inside the mask, 0 outside. [height, width], row-major.
///   - dynamics: 0...1; larger values cut less.
/// - Returns: for each pixel a basin's number from 1 on, in no particular order, or 0 outside the mask.
/// - Complexity: sorting by height in 65,536 steps, then one pass with union-find.
func watershed(_ landscape: [Float], width: Int, height: Int, dynamics: Float) -> [Int32] {
  let order = descendingOrder(landscape)
  var basins = Basins(dynamics: dynamics)
  var labels = [Int32](repeating: 0, count: width * height)
  landscape.withUnsafeBufferPointer { landscape in
    labels.withUnsafeMutableBufferPointer { labels in
      for pixel in order {
        let index = Int(pixel)
        let x = index % width
        let y = index / width
        let level = landscape[index]
        var own: Int32 = 0
        var highest = -Float.infinity
        var neighbours: (Int32, Int32, Int32, Int32, Int32, Int32, Int32, Int32) = (0, 0, 0, 0, 0, 0, 0, 0)
        withUnsafeMutableBytes(of: &neighbours) { bytes in
          let found = bytes.assumingMemoryBound(to: Int32.self)
          var count = 0
          for ny in max(0, y - 1)...min(height - 1, y + 1) {
            for nx in max(0, x - 1)...min(width - 1, x + 1) {
              let neighbour = ny * width + nx
              let label = labels[neighbour]
              if label == 0 { continue }
              found[count] = label
              count += 1
              if landscape[neighbour] > highest {
                highest = landscape[neighbour]
                own = label
              }
            }
          }
          if count == 0 {
            own = basins.start(at: level)
          } else {
            for other in 0..<count where found[other] != own { basins.meet(own, found[other], at: level) }
          }
        }
        labels[index] = own
      }
      for index in 0..<labels.count where labels[index] != 0 { labels[index] = basins.root(labels[index]) }
    }
  }
  return labels
}

/// The pixels above 0, from the highest to the lowest; equal ones in scan order.
private func descendingOrder(_ landscape: [Float]) -> [Int32] {
  guard let top = landscape.max(), top > 0 else { return [] }
  let steps = 65535
  let scale = Double(steps - 1) / Double(top)
  // Step 0 is the highest.
  func step(_ value: Float) -> Int { steps - 1 - min(steps - 1, Int(Double(value) * scale)) }
  return landscape.withUnsafeBufferPointer { landscape in
    var starts = [Int](repeating: 0, count: steps + 1)
    for value in landscape where value > 0 { starts[step(value) + 1] += 1 }
    for index in 1...steps { starts[index] += starts[index - 1] }
    let count = starts[steps]
    return [Int32](unsafeUninitializedCapacity: count) { order, initializedCount in
      initializedCount = count
      for index in 0..<landscape.count where landscape[index] > 0 {
        let slot = step(landscape[index])
        order[starts[slot]] = Int32(index)
        starts[slot] += 1
      }
    }
  }
}

/// Basins that merge: union-find in which the higher summit is the root. Number 0 is not used.
private struct Basins {
  let dynamics: Float
  private var parents: [Int32] = [0]
  private var summits: [Float] = [0]

  init(dynamics: Float) { self.dynamics = dynamics }

  mutating func start(at level: Float) -> Int32 {
    parents.append(Int32(parents.count))
    summits.append(level)
    return Int32(parents.count - 1)
  }

  mutating func root(_ basin: Int32) -> Int32 {
    var basin = Int(basin)
    while parents[basin] != Int32(basin) {
      parents[basin] = parents[Int(parents[basin])]
      basin = Int(parents[basin])
    }
    return Int32(basin)
  }

  mutating func meet(_ a: Int32, _ b: Int32, at level: Float) {
    let a = root(a)
    let b = root(b)
    if a == b { return }
    let aIsHigher = summits[Int(a)] >= summits[Int(b)]
    let (higher, lower) = aIsHigher ? (a, b) : (b, a)
    if summits[Int(lower)] - level < dynamics * summits[Int(lower)] { parents[Int(lower)] = higher }
  }
}
