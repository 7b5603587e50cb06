package import Faults
import Formats
package import Imaging
import Storage

/// Writes the crops of a folder's cells, as `ingest` would hand them to a backbone, for other programs: to train
/// a backbone on them, or to measure something else in them.
package struct CropExport: Sendable {
  package let images: [FieldOfView]
  package let source: CellSource
  package let crop: CropRecipe
  /// The channel in which nuclei are looked for; only used with detected nuclei.
  package let segmentationRole: String
  package let metadata: ImageMetadata?

  package init(
    images: [FieldOfView], source: CellSource, crop: CropRecipe, segmentationRole: String,
    metadata: ImageMetadata?
  ) {
    self.images = images
    self.source = source
    self.crop = crop
    self.segmentationRole = segmentationRole
    self.metadata = metadata
  }

  package struct Summary: Sendable {
    package fileprivate(set) var cells = 0
    /// Images that could not be used.
    package fileprivate(set) var failures: [Fault] = []
  }

  /// Writes float32 crops to a .npy file, and a table with a line for each: its image, its object and where that
  /// lies, then the metadata of the image.
  ///
  /// - Shape: [cells, channels, crop.outputSizePx, crop.outputSizePx], channels in the order of the images'.
  /// - Parameter progress: called after each image with the number of images done.
  /// - Throws: `usage` when the recipe makes no sense, and faults of the files written. Images that cannot be
  ///   used are passed over.
  package func write(
    crops path: String, table tablePath: String?, threads: Int, progress: (Int) -> Void
  ) throws -> Summary {
    try crop.validate(for: source)
    let channelCount = images.first?.channels.count ?? 0
    var writer = try NPYWriter(path: path, rowShape: [channelCount, crop.outputSizePx, crop.outputSizePx])
    let fields = metadata?.fields.map(\.name) ?? []
    var table: [[String]] = [["image", "object", "center_x", "center_y", "area_px"] + fields]
    var summary = Summary()
    let prefetch = Prefetch(count: images.count, window: threads + 1) { index in
      Result { try self.crops(of: images[index]) }
    }
    defer { prefetch.finish() }
    for (index, image) in images.enumerated() {
      do {
        let (cells, pixels) = try prefetch.take(index).get()
        try writer.write(pixels)
        let values = metadata?.values(of: image.name) ?? [:]
        for cell in cells {
          table.append(
            [image.name] + cell.columns + fields.map { values[$0]?.description ?? "" })
        }
        summary.cells += cells.count
      } catch let fault as Fault where fault.kind == .badData || fault.kind == .missingInput {
        summary.failures.append(fault)
      }
      progress(index + 1)
    }
    try writer.close()
    if let tablePath {
      var writer = try CSVWriter(path: tablePath)
      for line in table { try writer.write(line) }
      try writer.close()
    }
    return summary
  }

  private func crops(of source: FieldOfView) throws -> (cells: [Cell], pixels: [Float]) {
    do {
      let plan = try CropPlan(
        of: readFieldOfView(source), source: self.source, recipe: crop, segmentationRole: segmentationRole)
      return (plan.cells, plan.pixels(of: plan.cells.indices))
    } catch {
      throw Fault(error, of: source)
    }
  }
}

extension Cell {
  /// What the object is, and where: label, centroid, area.
  fileprivate var columns: [String] {
    let name =
      switch key {
      case .whole: "whole"
      case .label(let label): String(label)
      case .region: "\(object.x),\(object.y),\(object.width),\(object.height)"
      }
    return [name, String(object.centerX), String(object.centerY), String(object.areaPx)]
  }
}
