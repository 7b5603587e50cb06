@testable import Imaging

/// Model inputs for some cells of one image.
struct CropBatch: Sendable {
  let cells: [Cell]
  /// - Shape: [cell, channel, size, size], row-major; channels in the order of the image's roles.
  let pixels: [Float]
  /// Objects that are not among the cells, counted by reason: "touches border", "too small".
  let dropped: [String: Int]
}

/// The cells of an image and their model inputs, all at once; see `CropPlan`.
func crops(
  of image: FieldImage, source: CellSource, recipe: CropRecipe, segmentationRole: String
) throws -> CropBatch {
  let plan = try CropPlan(of: image, source: source, recipe: recipe, segmentationRole: segmentationRole)
  return CropBatch(
    cells: plan.cells, pixels: plan.pixels(of: plan.cells.indices), dropped: plan.dropped)
}
