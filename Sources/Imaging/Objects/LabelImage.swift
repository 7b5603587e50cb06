import Faults

/// An image that says for each pixel which object it belongs to; 0 is background.
/// - Shape: `labels` is [height, width], row-major.
package struct LabelImage: Sendable, Equatable {
  package let width: Int
  package let height: Int
  package let labels: [UInt32]

  package init(width: Int, height: Int, labels: [UInt32]) {
    precondition(labels.count == width * height)
    self.width = width
    self.height = height
    self.labels = labels
  }

  /// - Throws: `badData` when a pixel is not a whole number from 0 on, `inputOutput` when there is not enough memory.
  package init(_ plane: Plane) throws {
    let byteCount = plane.pixels.count * MemoryLayout<UInt32>.stride
    try requireMemory(byteCount, for: "labels of \(plane)", of: "label mask")
    let limit = Float(1 << 24)
    let labels = plane.pixels.map { value in
      value >= 0 && value < limit ? UInt32(value) : UInt32.max
    }
    for (index, value) in plane.pixels.enumerated()
    where labels[index] == UInt32.max || Float(labels[index]) != value {
      throw Fault(
        .badData, "label mask", expected: "whole numbers below 2^24",
        found: "\(value) at x \(index % plane.width), y \(index / plane.width)",
        remedy: "save the mask with one whole number per object and 0 for the background")
    }
    self.init(width: plane.width, height: plane.height, labels: labels)
  }
}

/// One object of a label image.
/// - Units: pixels; pixel centres at whole numbers, origin at the top left.
package struct CellObject: Sendable, Equatable {
  package let label: UInt32
  /// Bounding box: columns x..<x+width, rows y..<y+height.
  package let x: Int
  package let y: Int
  package let width: Int
  package let height: Int
  /// Centroid.
  package let centerX: Float
  package let centerY: Float
  package let areaPx: Int
  /// Whether a pixel of the object lies on the image's edge, so that part of the object may be cut off.
  package let touchesBorder: Bool

  package init(
    label: UInt32, x: Int, y: Int, width: Int, height: Int, centerX: Float, centerY: Float, areaPx: Int,
    touchesBorder: Bool
  ) {
    self.label = label
    self.x = x
    self.y = y
    self.width = width
    self.height = height
    self.centerX = centerX
    self.centerY = centerY
    self.areaPx = areaPx
    self.touchesBorder = touchesBorder
  }
}

/// The objects of a label image, sorted by label. All pixels of one label are one object.
/// - Complexity: one pass; a table look-up for each run of equal pixels in a row.
package func objects(in image: LabelImage) -> [CellObject] {
  var extents: [Extent] = []
  var positions: [UInt32: Int] = [:]
  image.labels.withUnsafeBufferPointer { labels in
    for y in 0..<image.height {
      let row = y * image.width
      var x = 0
      while x < image.width {
        let label = labels[row + x]
        let start = x
        repeat { x += 1 } while x < image.width && labels[row + x] == label
        if label == 0 { continue }
        if let position = positions[label] {
          extents[position].add(start..<x, y)
        } else {
          positions[label] = extents.count
          extents.append(Extent(label, start..<x, y))
        }
      }
    }
  }
  return extents.map { $0.object(in: image) }.sorted { $0.label < $1.label }
}

/// The sums from which an object's place follows, gathered over runs of pixels.
private struct Extent {
  let label: UInt32
  var minX: Int
  var maxX: Int
  let minY: Int
  var maxY: Int
  var area = 0
  var sumX = 0
  var sumY = 0

  init(_ label: UInt32, _ columns: Range<Int>, _ y: Int) {
    self.label = label
    minX = columns.lowerBound
    maxX = columns.upperBound - 1
    minY = y
    maxY = y
    add(columns, y)
  }

  mutating func add(_ columns: Range<Int>, _ y: Int) {
    minX = min(minX, columns.lowerBound)
    maxX = max(maxX, columns.upperBound - 1)
    maxY = y
    area += columns.count
    sumX += (columns.lowerBound + columns.upperBound - 1) * columns.count / 2
    sumY += y * columns.count
  }

  func object(in image: LabelImage) -> CellObject {
    CellObject(
      label: label, x: minX, y: minY, width: maxX - minX + 1, height: maxY - minY + 1,
      centerX: Float(Double(sumX) / Double(area)), centerY: Float(Double(sumY) / Double(area)), areaPx: area,
      touchesBorder: minX == 0 || minY == 0 || maxX == image.width - 1 || maxY == image.height - 1)
  }
}
