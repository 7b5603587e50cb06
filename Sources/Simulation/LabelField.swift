/// Which pixel belongs to which cell, and how far it lies from that cell's border.
struct LabelField {
  let sizePx: Int
  /// 0 = background, otherwise 1 + the cell's index in the list of shapes. Row-major.
  private(set) var labels: [UInt16]
  /// Distance in pixels to the nearest pixel outside the cell, 0 in the background (chamfer metric, within
  /// 8 % of Euclid's). The border of the image is no border of a cell.
  private(set) var edgeDistance: [Float]

  /// Where outlines overlap, a pixel goes to the cell that it lies deepest in, which makes cells touch.
  init(shapes: [CellShape], sizePx: Int) {
    self.sizePx = sizePx
    labels = [UInt16](repeating: 0, count: sizePx * sizePx)
    var depth = [Double](repeating: 1, count: sizePx * sizePx)
    for (index, shape) in shapes.enumerated() {
      let outline = shape.outline
      let window = PixelWindow(around: outline.center, reach: outline.longestReach, sizePx: sizePx)
      for y in window.top..<window.bottom {
        for x in window.left..<window.right {
          let distance = outline.relativeDistance(of: Point(x: Double(x), y: Double(y)))
          if distance < depth[y * sizePx + x] {
            depth[y * sizePx + x] = distance
            labels[y * sizePx + x] = UInt16(index + 1)
          }
        }
      }
    }
    edgeDistance = chamferDistances(labels: labels, sizePx: sizePx)
  }
}

/// Two-pass chamfer transform with steps 1 and sqrt(2), inside every label at once.
private func chamferDistances(labels: [UInt16], sizePx: Int) -> [Float] {
  var distance = labels.map { $0 == 0 ? Float(0) : Float.greatestFiniteMagnitude }
  let diagonal = Float(2).squareRoot()
  func relax(_ x: Int, _ y: Int, _ dx: Int, _ dy: Int, _ step: Float) {
    guard x + dx >= 0, x + dx < sizePx, y + dy >= 0, y + dy < sizePx else { return }
    let here = y * sizePx + x
    let there = here + dy * sizePx + dx
    let reached = labels[there] == labels[here] ? distance[there] + step : step
    distance[here] = min(distance[here], reached)
  }
  for y in 0..<sizePx {
    for x in 0..<sizePx where labels[y * sizePx + x] != 0 {
      relax(x, y, -1, 0, 1)
      relax(x, y, 0, -1, 1)
      relax(x, y, -1, -1, diagonal)
      relax(x, y, 1, -1, diagonal)
    }
  }
  for y in (0..<sizePx).reversed() {
    for x in (0..<sizePx).reversed() where labels[y * sizePx + x] != 0 {
      relax(x, y, 1, 0, 1)
      relax(x, y, 0, 1, 1)
      relax(x, y, 1, 1, diagonal)
      relax(x, y, -1, 1, diagonal)
    }
  }
  return distance
}

/// The pixels that a cell may cover: columns left..<right, rows top..<bottom of a square image.
struct PixelWindow {
  let left: Int
  let right: Int
  let top: Int
  let bottom: Int

  init(around center: Point, reach: Double, sizePx: Int) {
    left = max(0, Int((center.x - reach).rounded(.down)))
    right = max(left, min(sizePx, Int((center.x + reach).rounded(.up)) + 1))
    top = max(0, Int((center.y - reach).rounded(.down)))
    bottom = max(top, min(sizePx, Int((center.y + reach).rounded(.up)) + 1))
  }

  var width: Int { right - left }
  var height: Int { bottom - top }
}
