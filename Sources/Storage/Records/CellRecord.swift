/// A cell's dense number inside its database. Rows are given out in order and never used again.
package typealias Row = UInt32

/// Which object of an image (or of an imported array) a cell is, independent of any recipe.
package enum ObjectKey: Sendable, Hashable {
  /// The whole image.
  case whole
  /// The object with this value in a label mask.
  case label(UInt32)
  /// A detected object, known by its bounding box in pixels of the image.
  case region(BoundingBox)
  /// The vector at this position of an imported array.
  case index(UInt32)
}

/// A rectangle of pixels: columns x..<x+width, rows y..<y+height, origin at the top left.
package struct BoundingBox: Sendable, Hashable {
  package let x: Int32
  package let y: Int32
  package let width: Int32
  package let height: Int32

  package init(x: Int32, y: Int32, width: Int32, height: Int32) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }
}

/// Where a cell lies in its image.
package struct CellGeometry: Sendable, Equatable {
  package let box: BoundingBox
  /// Centroid, pixels of the image, pixel centres at whole numbers.
  package let centerX: Float
  package let centerY: Float
  /// Pixels that belong to the object.
  package let areaPx: UInt32

  package init(box: BoundingBox, centerX: Float, centerY: Float, areaPx: UInt32) {
    self.box = box
    self.centerX = centerX
    self.centerY = centerY
    self.areaPx = areaPx
  }
}

/// One cell as the database keeps it.
package struct CellRecord: Sendable, Equatable {
  /// The image (or import) that the cell comes from.
  package let image: UInt32
  package let object: ObjectKey
  package let geometry: CellGeometry?
  /// Values by field id; fields that are null for this cell are absent.
  package var values: [UInt16: FieldValue]

  package init(image: UInt32, object: ObjectKey, geometry: CellGeometry?, values: [UInt16: FieldValue] = [:])
  {
    self.image = image
    self.object = object
    self.geometry = geometry
    self.values = values
  }
}
