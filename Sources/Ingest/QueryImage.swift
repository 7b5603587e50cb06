package import Backbone
import Faults
package import Imaging

/// The cells of an image that is not in the database.
package struct QueryImage: Sendable {
  package let cells: [QueryCell]
  /// Roles of the channels whose pixels are all equal; see `FieldImage.blankRoles`.
  package let blankRoles: [String]
}

/// A cell of a query image with its vector.
package struct QueryCell: Sendable {
  /// Position among the cells of the image, from 0.
  package let index: Int
  package let cell: Cell
  package let vector: [Float]
}

/// Embeds the cells of an image that is not in the database, as a space's own recipe embeds them.
///
/// - Parameter object: the name of the only cell that is wanted (see `Cell.name`); nil for all.
/// - Throws: `badData` when the image lacks a channel or mask that the recipe needs, `missingInput` when it
///   has no such object.
package func embedQueryImage(
  _ source: FieldOfView, recipe: Recipe, embedder: Embedder, object: String? = nil, threads: Int
) throws -> QueryImage {
  let image = try readFieldOfView(recipe.ordered(source))
  let plan = try CropPlan(
    of: image, source: recipe.source, recipe: recipe.crop, segmentationRole: recipe.segmentationRole)
  let wanted = plan.cells.indices.filter { object == nil || plan.cells[$0].name == object }
  if let object, wanted.isEmpty {
    // A nucleus is named by its box, which has commas itself.
    let names = plan.cells.prefix(20).map(\.name)
    let shown = names.joined(separator: names.contains { $0.contains(",") } ? "; " : ", ")
    throw Fault(
      .missingInput, "\(image.name): object \"\(object)\"", "does not exist",
      remedy: plan.cells.isEmpty
        ? "the image has no objects"
        : "objects: \(shown)\(plan.cells.count > 20 ? " and \(plan.cells.count - 20) more" : "")")
  }
  let size = recipe.crop.outputSizePx
  let vectors =
    if object == nil {
      try embedder.embed(plan, size: size, threads: threads)
    } else {
      try wanted.flatMap { index in
        try plan.pixels(of: index..<index + 1).withUnsafeBufferPointer {
          try embedder.embed(crops: $0, count: 1, height: size, width: size, threads: threads)
        }
      }
    }
  let cells = wanted.enumerated().map { place, index in
    let vector = vectors[place * embedder.dimension..<(place + 1) * embedder.dimension]
    return QueryCell(index: index, cell: plan.cells[index], vector: Array(vector))
  }
  return QueryImage(cells: cells, blankRoles: image.blankRoles)
}

extension Embedder {
  /// The vectors of all cells of an image.
  /// - Shape: [plan.cells.count, dimension]
  fileprivate func embed(_ plan: CropPlan, size: Int, threads: Int) throws -> [Float] {
    var vectors: [Float] = []
    vectors.reserveCapacity(plan.cells.count * dimension)
    // Crops of a crowded image would need too much memory at once.
    let cropCount = CropMemory.capacity(upTo: 64, cropValueCount: plan.cropValueCount)
    for start in stride(from: 0, to: plan.cells.count, by: cropCount) {
      let range = start..<min(start + cropCount, plan.cells.count)
      vectors += try plan.pixels(of: range).withUnsafeBufferPointer {
        try embed(crops: $0, count: range.count, height: size, width: size, threads: threads)
      }
    }
    return vectors
  }
}
