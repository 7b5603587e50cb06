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
    /// Images that are smaller than the squares that were cut out of them.
    package fileprivate(set) var small: [SmallImage] = []
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
    let cropValueCount = roles.count * crop.outputSizePx * crop.outputSizePx
    let limits = CropSchedule<Result<Prepared, Fault>>.Limits(
      cropsPerBatch: CropMemory.capacity(upTo: 64, cropValueCount: cropValueCount),
      cropValueCount: cropValueCount, images: threads + 1)
    let pipeline = try CropPipeline(imageCount: images.count, limits: limits, threads: threads) {
      prepare(images[$0])
    }
    defer { pipeline.finish() }
    while let batch = pipeline.next() {
      if let crops = batch.memory?.crops(0..<batch.cropCount) { try writer.write(UnsafeBufferPointer(crops)) }
      for part in batch.parts where part.isLast {
        let image = images[part.image]
        switch part.finding {
        case .success(let prepared):
          let values = metadata?.values(of: image.name) ?? [:]
          for cell in prepared.cells {
            table.append([image.name] + cell.columns + fields.map { values[$0]?.description ?? "" })
          }
          summary.cells += prepared.cells.count
          if let small = prepared.small, !prepared.cells.isEmpty { summary.small.append(small) }
        case .failure(let fault): summary.failures.append(fault)
        }
        progress(part.image + 1)
      }
      pipeline.release(batch)
    }
    try writer.close()
    if let tablePath {
      var writer = try CSVWriter(path: tablePath)
      for line in table { try writer.write(line) }
      try writer.close()
    }
    return summary
  }

  /// What is known of an image before it is cut.
  private struct Prepared {
    let cells: [Cell]
    let small: SmallImage?
  }

  private func prepare(_ image: FieldOfView) -> ReadImage<Result<Prepared, Fault>> {
    do {
      let pixels = try readFieldOfView(image)
      let plan = try CropPlan(
        of: pixels, source: source, recipe: crop, segmentationRole: segmentationRole)
      return ReadImage(
        finding: .success(Prepared(cells: plan.cells, small: SmallImage(pixels, plan))), plan: plan,
        content: nil, work: PreparationWork())
    } catch {
      return ReadImage(
        finding: .failure(Fault(error, of: image)), plan: nil, content: nil, work: PreparationWork())
    }
  }
}

extension Cell {
  /// What the object is, and where: label, centroid, area.
  fileprivate var columns: [String] {
    [name, String(object.centerX), String(object.centerY), String(object.areaPx)]
  }
}
