package import Faults
import Formats
package import Imaging
import Storage

/// Writes the crops of a folder's cells, as `ingest` would hand them to a backbone, for other programs: to train
/// a backbone on them, or to measure something else in them.
package struct CropExport: Sendable {
  package let images: [FieldOfView]
  /// Roles of the images' channels, in their order.
  package let roles: [String]
  package let source: CellSource
  package let crop: CropRecipe
  /// The channel in which nuclei are looked for; only used with detected nuclei.
  package let segmentationRole: String
  package let metadata: ImageMetadata?

  package init(
    images: [FieldOfView], roles: [String], source: CellSource, crop: CropRecipe, segmentationRole: String,
    metadata: ImageMetadata?
  ) {
    self.images = images
    self.roles = roles
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
    try validateCells(of: roles, source: source, segmentationRole: segmentationRole, crop: crop)
    guard crop.normalization != .imagenet else {
      throw Fault(
        .usage, "--normalize imagenet", "depends on the inputs of a model, of which crops know nothing",
        remedy: "use range, and subtract mean and SD afterwards")
    }
    var writer = try NPYWriter(path: path, rowShape: [roles.count, crop.outputSizePx, crop.outputSizePx])
    let fields = metadata?.fields.map(\.name) ?? []
    var table: [[String]] = [["image", "object", "center_x", "center_y", "area_px"] + fields]
    var summary = Summary()
    let prefetch = Prefetch(count: images.count, window: threads + 1) { index in
      Result { try plan(of: images[index]) }
    }
    defer { prefetch.finish() }
    for (index, image) in images.enumerated() {
      switch prefetch.take(index) {
      case .success(let plan):
        for range in plan.batches { try writer.write(plan.pixels(of: range)) }
        let values = metadata?.values(of: image.name) ?? [:]
        for cell in plan.cells {
          table.append([image.name] + cell.columns + fields.map { values[$0]?.description ?? "" })
        }
        summary.cells += plan.cells.count
      case .failure(let error): summary.failures.append(Fault(error, of: image))
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

  private func plan(of image: FieldOfView) throws -> CropPlan {
    try CropPlan(
      of: readFieldOfView(image), source: source, recipe: crop, segmentationRole: segmentationRole)
  }
}

extension Cell {
  /// What the object is, and where: label, centroid, area.
  fileprivate var columns: [String] {
    [name, String(object.centerX), String(object.centerY), String(object.areaPx)]
  }
}
