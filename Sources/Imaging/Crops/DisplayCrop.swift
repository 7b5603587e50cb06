/// A square of an image as a screen shows it: shades of each channel, for eyes and not for models.
package struct DisplayCrop: Sendable, Equatable {
  /// Side of the square in pixels of the picture.
  package let sizePx: Int
  package let roles: [String]
  /// One for each role.
  /// - Shape: [sizePx, sizePx] each, row-major; 0 is black, 255 white.
  package let channels: [[UInt8]]
}

/// Cuts squares out of one image and brings them to shades.
///
/// Black is the 1st percentile of the channel in the whole image, so that background is dark. White is the 99.9th of
/// the square, but at least a fifth of the way to that of the whole image: a cell in which a channel shows nothing stays
/// dark instead of showing its noise.
package struct DisplayCutter: Sendable {
  private let image: FieldImage
  /// For each channel, parts of the full scale of its sample type.
  private let levels: [(black: Float, bright: Float)]

  package init(_ image: FieldImage) {
    self.image = image
    levels = image.planes.map { plane in
      var pixels = plane.pixels
      let scale = plane.sampleType.fullScale
      let black = quantile(0.01, of: &pixels) / scale
      return (black, quantile(0.999, of: &pixels) / scale)
    }
  }

  /// The square around a place; what lies outside the image is black.
  ///
  /// - Parameters:
  ///   - cropSizePx: side of the square in pixels of the image; nil for all of it.
  ///   - limitPx: the largest side of the picture; larger squares are made smaller.
  package func cut(centerX: Float, centerY: Float, cropSizePx: Int?, limitPx: Int) -> DisplayCrop {
    let cropSize = cropSizePx ?? max(image.width, image.height)
    let size = min(cropSize, limitPx)
    let recipe = CropRecipe(cropSizePx: cropSize, outputSizePx: size, normalization: .range)
    var cutter = CropCutter(image, nil, recipe, cropSize: cropSize, imageLines: nil)
    let place = CellObject(
      label: 0, x: 0, y: 0, width: 0, height: 0, centerX: centerX, centerY: centerY, areaPx: 0,
      touchesBorder: false)
    let pixelCount = size * size
    var values = [Float](repeating: 0, count: image.planes.count * pixelCount)
    values.withUnsafeMutableBufferPointer { cutter.cut(place, into: $0) }
    let channels = levels.enumerated().map { channel, level in
      // Resampling of the largest float32 numbers may overflow.
      let shown = values[channel * pixelCount..<(channel + 1) * pixelCount].map {
        $0.isNaN ? level.black : $0
      }
      var pixels = shown
      let black = Double(level.black)
      let white = max(Double(quantile(0.999, of: &pixels)), black + (Double(level.bright) - black) / 5)
      return shades(of: shown, black: black, white: white)
    }
    return DisplayCrop(sizePx: size, roles: image.roles, channels: channels)
  }

  private func shades(of values: [Float], black: Double, white: Double) -> [UInt8] {
    guard white > black else { return [UInt8](repeating: 0, count: values.count) }
    return values.map { value in
      let share = (Double(value) - black) / (white - black)
      return share > 0 ? UInt8(min(share, 1) * 255 + 0.5) : 0
    }
  }
}
