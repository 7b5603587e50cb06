package import Backbone
package import Imaging

/// A cell of a query image with its vector.
package struct QueryCell: Sendable {
  /// Position among the cells of the image, from 0.
  package let index: Int
  package let cell: Cell
  package let vector: [Float]
}

/// Embeds the cells of an image that is not in the database, as a space's own recipe embeds them.
///
/// - Throws: `badData` when the image lacks a channel or mask that the recipe needs.
package func embedQueryImage(
  _ source: FieldOfView, recipe: Recipe, embedder: Embedder, threads: Int
) throws -> [QueryCell] {
  let image = try readFieldOfView(recipe.ordered(source))
  let plan = try CropPlan(
    of: image, source: recipe.source, recipe: recipe.crop, segmentationRole: recipe.segmentationRole)
  let vectors = try embedder.embed(plan, size: recipe.crop.outputSizePx, threads: threads)
  return plan.cells.enumerated().map { index, cell in
    let vector = vectors[index * embedder.dimension..<(index + 1) * embedder.dimension]
    return QueryCell(index: index, cell: cell, vector: Array(vector))
  }
}

extension Embedder {
  /// The vectors of all cells of an image.
  /// - Shape: [plan.cells.count, dimension]
  fileprivate func embed(_ plan: CropPlan, size: Int, threads: Int) throws -> [Float] {
    var vectors: [Float] = []
    vectors.reserveCapacity(plan.cells.count * dimension)
    // Crops of a crowded image would need too much memory at once.
    for start in stride(from: 0, to: plan.cells.count, by: 64) {
      let range = start..<min(start + 64, plan.cells.count)
      vectors += try plan.pixels(of: range).withUnsafeBufferPointer {
        try embed(crops: $0, count: range.count, height: size, width: size, threads: threads)
      }
    }
    return vectors
  }
}
