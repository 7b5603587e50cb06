/// Cuts squares out of an image and brings them to model size; owns the buffers that all crops share.
///
/// Pixels outside the image, and outside the object where the background is zeroed, are *not valid*. When the
/// crop is resized they must not darken their neighbours: valid pixels are averaged among themselves, and an
/// output pixel counts as valid when at least half of what it is made of is.
struct CropCutter {
  private let image: FieldImage
  private let labels: LabelImage?
  private let recipe: CropRecipe
  /// The rule for each channel where it does not depend on the crop.
  private let imageLines: [IntensityLine]?
  private let cropSize: Int
  private let resampling: Resampling
  // All [cropSize, cropSize], or [outputSize, outputSize] for those named so.
  private var crop: [Float]
  private var coverage: [Float]
  private var outputCoverage: [Float]
  private var outputValid: [Bool]

  init(
    _ image: FieldImage, _ labels: LabelImage?, _ recipe: CropRecipe, cropSize: Int,
    imageLines: [IntensityLine]?
  ) {
    self.image = image
    self.imageLines = imageLines
    self.labels = recipe.zeroBackground ? labels : nil
    self.recipe = recipe
    self.cropSize = cropSize
    let outputSize = recipe.outputSizePx
    resampling = Resampling(from: cropSize, to: outputSize)
    crop = [Float](repeating: 0, count: cropSize * cropSize)
    coverage = crop
    outputCoverage = [Float](repeating: 0, count: outputSize * outputSize)
    outputValid = [Bool](repeating: true, count: outputSize * outputSize)
  }

  /// - Shape: `output` is [channel, outputSize, outputSize].
  mutating func cut(_ object: CellObject, into output: UnsafeMutableBufferPointer<Float>) {
    // The pixel nearest to the centroid becomes the crop's pixel cropSize / 2.
    let left = Int(object.centerX.rounded()) - cropSize / 2
    let top = Int(object.centerY.rounded()) - cropSize / 2
    let isWhole = markCoverage(object.label, left, top)
    if !isWhole { resizeCoverage() }
    let pixelCount = outputCoverage.count
    let channels = image.planes.indices.map { channel in
      UnsafeMutableBufferPointer(rebasing: output[channel * pixelCount..<(channel + 1) * pixelCount])
    }
    for (plane, target) in zip(image.planes, channels) {
      fillCrop(from: plane, left, top, isWhole: isWhole)
      crop.withUnsafeBufferPointer { crop in
        guard let source = crop.baseAddress, let target = target.baseAddress else { return }
        resampling.resize(source, into: target)
      }
      guard !isWhole else { continue }
      for index in 0..<pixelCount {
        target[index] = outputValid[index] ? target[index] / outputCoverage[index] : 0
      }
    }
    let hasInvalid = !isWhole && recipe.normalizationScope != .square
    outputValid.withUnsafeBufferPointer { normalize(channels, valid: hasInvalid ? $0 : nil) }
  }

  /// - Parameter valid: nil when all pixels are treated alike.
  private func normalize(
    _ channels: [UnsafeMutableBufferPointer<Float>], valid: UnsafeBufferPointer<Bool>?
  ) {
    let lines =
      imageLines
      ?? recipe.normalization.lines(
        through: channels.map { UnsafeBufferPointer($0) }, valid: valid,
        sampleTypes: image.planes.map(\.sampleType))
    for (line, pixels) in zip(lines, channels) {
      line.apply(to: pixels)
      guard let valid else { continue }
      for index in 0..<pixels.count where !valid[index] { pixels[index] = 0 }
    }
  }

  /// Part of a crop's row that lies in the image.
  private func columnsInside(_ left: Int) -> Range<Int> {
    let start = min(max(0, -left), cropSize)
    return start..<max(start, min(cropSize, image.width - left))
  }

  private func rowsInside(_ top: Int) -> Range<Int> {
    let start = min(max(0, -top), cropSize)
    return start..<max(start, min(cropSize, image.height - top))
  }

  /// Sets `coverage` to 1 where the crop's pixels are valid, else 0; returns whether all are.
  private mutating func markCoverage(_ label: UInt32, _ left: Int, _ top: Int) -> Bool {
    let columns = columnsInside(left)
    let rows = rowsInside(top)
    if labels == nil, columns.count == cropSize, rows.count == cropSize { return true }
    var validCount = 0
    coverage.withUnsafeMutableBufferPointer { coverage in
      coverage.update(repeating: 0)
      for y in rows {
        let row = y * cropSize
        guard let labels else {
          for x in columns { coverage[row + x] = 1 }
          validCount += columns.count
          continue
        }
        labels.labels.withUnsafeBufferPointer { labels in
          let source = (top + y) * image.width + left
          for x in columns where labels[source + x] == label {
            coverage[row + x] = 1
            validCount += 1
          }
        }
      }
    }
    return validCount == cropSize * cropSize
  }

  private mutating func resizeCoverage() {
    coverage.withUnsafeBufferPointer { coverage in
      outputCoverage.withUnsafeMutableBufferPointer { output in
        guard let source = coverage.baseAddress, let target = output.baseAddress else { return }
        resampling.resize(source, into: target)
      }
    }
    for index in outputCoverage.indices { outputValid[index] = outputCoverage[index] >= 0.5 }
  }

  /// Copies the plane's pixels into `crop`, 0 where they are not valid.
  private mutating func fillCrop(from plane: Plane, _ left: Int, _ top: Int, isWhole: Bool) {
    let columns = columnsInside(left)
    let rows = rowsInside(top)
    crop.withUnsafeMutableBufferPointer { crop in
      plane.pixels.withUnsafeBufferPointer { pixels in
        if !isWhole { crop.update(repeating: 0) }
        for y in rows {
          let row = y * cropSize
          let source = (top + y) * plane.width + left
          for x in columns { crop[row + x] = pixels[source + x] }
        }
        guard !isWhole else { return }
        coverage.withUnsafeBufferPointer { coverage in
          for index in 0..<crop.count { crop[index] *= coverage[index] }
        }
      }
    }
  }
}
