import Faults

/// What tells a cell from the others of its image, whatever the recipe.
package enum CellKey: Sendable, Hashable {
  /// The image itself.
  case whole
  /// The object with this value in the mask.
  case label(UInt32)
  /// A detected object, known by its bounding box.
  case region
}

/// One cell of an image: what it is known by and where it lies.
package struct Cell: Sendable, Equatable {
  package let key: CellKey
  package let object: CellObject

  package init(key: CellKey, object: CellObject) {
    self.key = key
    self.object = object
  }

  /// What people call it: "whole", the label in the mask, or the box of a detected object,
  /// "x,y,width,height".
  package var name: String {
    switch key {
    case .whole: "whole"
    case .label(let label): String(label)
    case .region: "\(object.x),\(object.y),\(object.width),\(object.height)"
    }
  }
}

/// The cells of an image, found but not yet cut out: crops of a crowded image can need more memory than is good,
/// so they are made a range at a time.
package struct CropPlan: Sendable {
  package let cells: [Cell]
  /// Objects that are not among the cells, counted by reason: "touches border", "too small".
  package let dropped: [String: Int]

  private let image: FieldImage
  private let labels: LabelImage?
  private let recipe: CropRecipe
  private let cropSize: Int
  /// The normalisation of each channel where it is the image's and not the crop's.
  private let imageLines: [IntensityLine]?

  /// Finds the cells of an image.
  /// - Parameter segmentationRole: the channel in which nuclei are looked for; only used by `.nuclei`.
  /// - Throws: `usage` when the recipe makes no sense for the source, `badData` when the image has no mask or no
  ///   such channel, `inputOutput` when there is not enough memory to find nuclei.
  package init(
    of image: FieldImage, source: CellSource, recipe: CropRecipe, segmentationRole: String
  ) throws {
    try recipe.validate(for: source)
    self.image = image
    self.recipe = recipe
    cropSize = recipe.cropSizePx ?? max(image.width, image.height)
    imageLines = recipe.normalizationScope == .image ? image.lines(of: recipe.normalization) : nil
    let key: (CellObject) -> CellKey
    switch source {
    case .whole:
      cells = [Cell(key: .whole, object: .whole(of: image))]
      dropped = [:]
      labels = nil
      return
    case .masks:
      guard let mask = image.mask else {
        throw Fault(
          .badData, image.name, expected: "a label mask", found: "none",
          remedy: "name the mask files with a pattern")
      }
      labels = mask
      key = { .label($0.label) }
    case .nuclei(let segmentation):
      guard let channel = image.roles.firstIndex(of: segmentationRole) else {
        throw Fault(
          .badData, image.name, expected: "a channel \(segmentationRole) to find nuclei in",
          found: image.roles.joined(separator: ", "), remedy: "name the channel of the nuclei, or use masks")
      }
      let plane = image.planes[channel]
      try requireMemory(
        plane.pixels.count * NucleusSegmentation.bytesPerPixel, for: "finding nuclei in \(plane)",
        of: image.name)
      labels = segmentation.segment(plane)
      key = { _ in .region }
    }
    var cells: [Cell] = []
    var dropped: [String: Int] = [:]
    for object in labels.map(objects(in:)) ?? [] {
      if object.areaPx < recipe.minAreaPx {
        dropped["too small", default: 0] += 1
      } else if recipe.border == .drop, object.touchesBorder {
        dropped["touches border", default: 0] += 1
      } else {
        cells.append(Cell(key: key(object), object: object))
      }
    }
    self.cells = cells
    self.dropped = dropped
  }

  /// The side of the squares, where they are larger than the image and so always reach beyond it; else nil.
  package var squareBeyondImagePx: Int? {
    recipe.cropSizePx.flatMap { $0 > min(image.width, image.height) ? $0 : nil }
  }

  /// Bytes of the image's pixels and labels, which lie in memory as long as the plan.
  package var byteCount: Int {
    (image.planes.reduce(0) { $0 + $1.pixels.count } + (labels?.labels.count ?? 0)) * 4
  }

  /// Values of the crop of one cell.
  package var cropValueCount: Int { image.planes.count * recipe.outputSizePx * recipe.outputSizePx }

  /// Writes the model inputs of these cells.
  /// - Shape: `output` is [cell, channel, size, size], row-major; channels in the order of the image's roles.
  package func cut(_ range: Range<Int>, into output: UnsafeMutableBufferPointer<Float>) {
    precondition(output.count == range.count * cropValueCount, "room for other crops")
    var cutter = CropCutter(image, labels, recipe, cropSize: cropSize, imageLines: imageLines)
    for (position, index) in range.enumerated() {
      let start = position * cropValueCount
      cutter.cut(
        cells[index].object,
        into: UnsafeMutableBufferPointer(rebasing: output[start..<start + cropValueCount]))
    }
  }

  /// The model inputs of these cells.
  /// - Shape: as of `cut`.
  package func pixels(of range: Range<Int>) -> [Float] {
    [Float](unsafeUninitializedCapacity: range.count * cropValueCount) { output, initializedCount in
      initializedCount = range.count * cropValueCount
      cut(range, into: UnsafeMutableBufferPointer(rebasing: output[..<initializedCount]))
    }
  }
}

extension CellObject {
  fileprivate static func whole(of image: FieldImage) -> CellObject {
    CellObject(
      label: 0, x: 0, y: 0, width: image.width, height: image.height, centerX: Float(image.width - 1) / 2,
      centerY: Float(image.height - 1) / 2, areaPx: image.width * image.height, touchesBorder: true)
  }
}

extension FieldImage {
  /// The rule for each channel, by the statistics of all its pixels.
  fileprivate func lines(of normalization: Normalization) -> [IntensityLine] {
    // Planes are arrays: one pointer after the other, each for the length of a call.
    func collect(_ channels: [UnsafeBufferPointer<Float>]) -> [IntensityLine] {
      guard channels.count < planes.count else {
        return normalization.lines(through: channels, valid: nil, sampleTypes: planes.map(\.sampleType))
      }
      return planes[channels.count].pixels.withUnsafeBufferPointer { collect(channels + [$0]) }
    }
    return collect([])
  }
}

extension CropRecipe {
  /// - Throws: `usage` when cells of this source cannot be cut out by this recipe.
  package func validate(for source: CellSource) throws {
    if source != .whole, cropSizePx == nil {
      throw Fault(
        .usage, "--crop", expected: "the side of the square around a cell, in pixels", found: "none",
        remedy: "about twice the diameter of a nucleus is a good start")
    }
    for (option, size) in [("--crop", cropSizePx ?? 1), ("--input-size", outputSizePx)]
    where size < 1 || size > 16384 {
      throw Fault(.usage, option, expected: "1 to 16384 pixels", found: "\(size)")
    }
    guard normalizationScope == .crop || normalization.usesStatistics else {
      throw Fault(
        .usage, "--normalize-over \(normalizationScope.rawValue)",
        expected: "a normalization with statistics, such as self", found: normalization.rawValue,
        remedy: "leave it out, or choose another with --normalize")
    }
  }
}
