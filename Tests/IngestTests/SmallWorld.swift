import Backbone
import Formats
import Imaging
import Ingest
import Storage
import TestSupport

/// A folder with a few tiny images of two channels and masks, and a tiny seeded backbone.
struct SmallWorld {
  let folder: String
  let backbone: VisionTransformer

  static let cellsPerImage = 3

  init(in folder: String, imageNames: [String]) throws {
    self.folder = folder
    for (index, name) in imageNames.enumerated() { try SmallWorld.writeImage(folder, name, seed: index) }
    let path = "\(folder)/tiny.safetensors"
    try VisionTransformer.writeSeeded(
      geometry: ViTGeometry(
        width: 64, depth: 1, heads: 1, patchSize: 8, inputChannels: 2, gridSize: 2, mlpWidth: 64),
      inputRoles: ["nucleus", "protein"], seed: 1, to: path)
    backbone = try VisionTransformer(path: path)
  }

  /// 16 rows of pixels with objects side by side, 16 columns each; brightness tells images apart.
  static func writeImage(
    _ folder: String, _ name: String, seed: Int, cells: Int = cellsPerImage
  ) throws {
    let side = 16
    let width = side * max(1, cells)
    func pixel(_ index: Int, _ factor: Int) -> UInt16 { UInt16((index * factor + seed * 7919) % 4093) }
    let count = width * side
    try writePNG16(
      "\(folder)/\(name)_nucleus.png", width: width, height: side, pixels: (0..<count).map { pixel($0, 31) })
    try writePNG16(
      "\(folder)/\(name)_protein.png", width: width, height: side, pixels: (0..<count).map { pixel($0, 57) })
    let mask = (0..<count).map { index -> UInt16 in
      let (x, y) = (index % width, index / width)
      return cells > 0 && (4..<12).contains(x % side) && (4..<12).contains(y) ? UInt16(1 + x / side) : 0
    }
    try writePNG16("\(folder)/\(name)_mask.png", width: width, height: side, pixels: mask)
  }

  func images() throws -> [FieldOfView] { try grouping().images }

  func grouping() throws -> Grouping {
    try findImages(
      in: folder,
      channels: [
        ChannelPattern(parsing: "protein=*_protein.png"), ChannelPattern(parsing: "nucleus=*_nucleus.png"),
      ], mask: "*_mask.png")
  }

  func recipe(cropSizePx: Int = 16, strategy: ChannelStrategy = .replicate(.concat)) -> Recipe {
    Recipe(
      source: .masks, segmentationRole: "nucleus",
      crop: CropRecipe(cropSizePx: cropSizePx, outputSizePx: 16), strategy: strategy,
      roles: ["protein", "nucleus"])
  }

  func ingest(
    metadata: ImageMetadata? = nil, recipe: Recipe? = nil, threads: Int = 2,
    cellsPerCommit: Int = ImageIngest.defaultCellsPerCommit
  ) throws -> ImageIngest {
    let recipe = recipe ?? self.recipe()
    return ImageIngest(
      images: try images(), recipe: recipe,
      embedder: try recipe.embedder(with: backbone),
      metadata: metadata, threads: threads, cellsPerCommit: cellsPerCommit)
  }

  /// Ingests everything, or stops as soon as so many images are done.
  @discardableResult
  func run(
    _ writer: DatabaseWriter, metadata: ImageMetadata? = nil, recipe: Recipe? = nil,
    threads: Int = 2, cellsPerCommit: Int = ImageIngest.defaultCellsPerCommit, stopAfter limit: Int = .max
  ) throws -> IngestSummary {
    let ingest = try ingest(
      metadata: metadata, recipe: recipe, threads: threads, cellsPerCommit: cellsPerCommit)
    let space = try writer.space(
      named: nil, recipe: ingest.recipe, embedder: ingest.embedder,
      backbone: BackboneReference(path: "tiny.safetensors"))
    var done = 0
    return try ingest.run(
      into: space, of: writer, isCancelled: { done >= limit }, progress: { done = $0.imagesDone })
  }
}
