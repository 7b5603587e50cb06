import Faults
package import Formats
import Glibc
package import Identity
import Kernels
import Synchronization

/// A vision transformer with its weights: images in, embeddings out.
///
/// Safe to use from several threads at once.
package final class VisionTransformer: Sendable {
  package let geometry: ViTGeometry
  /// Digest of the file of weights, or of several in order of their names, and of what a choice of branch or
  /// a configuration beside it changes: the same weights with another epsilon are another backbone.
  package let hash: ContentHash
  package let format: TensorFormat
  /// The model's place in a file of several.
  package let branches: TensorBranches
  /// What each input is meant for, as somebody said, or the file's metadata ("inputs": "nucleus,protein");
  /// nil when neither does.
  package let inputRoles: [String]?
  /// What the file's metadata say of the images that the model was trained on.
  package let trainingInput: TrainingInput
  /// What the model is called: by the registry, or as its file or folder (see `ModelName`).
  package let name: String
  /// The kind of model, for people: "DINOv2 with registers (timm)".
  package let familyName: String
  /// Tensors of the file that embedding does not use, such as the projection head of the training.
  package let ignoredTensors: [String]
  /// Side of the images of the training, pixels; nil when it is not known, as of most models with rotary positions.
  package let trainedImageSizePx: Int?
  /// Side of the images that suit the model when nobody says otherwise, pixels: that of the training where it
  /// is known.
  package let defaultImageSizePx: Int
  /// How the training brought intensities to the inputs; nil when the file does not tell.
  package let expectedNormalization: InputNormalization?
  /// Whether nothing says how many heads there are, so that the family's usual width is taken.
  package let headsAreAssumed: Bool

  /// Whether the weights were ready in the cache, so that the tensors of the file were not read.
  package let weightsAreFromCache: Bool

  package var precision: Precision { weights.precision }

  private let weights: ViTWeights
  private let resampling: PositionResampling
  /// The positions for the last grid that was not the stored one.
  private let resampled = Mutex<(grid: PatchGrid, positions: [Float])?>(nil)

  /// The most patches of one image: 1,024 x 1,024 pixels at patch size 8. Memory grows with it, some 450 MB a
  /// thread for ViT-B.
  package static let maximumPatchCount = 16_384

  /// Reads a file of weights, and the config.json in its folder where that belongs to it.
  ///
  /// - Parameters:
  ///   - branch: the wanted one of several models in the file; nil for the usual one.
  ///   - name: what the model is called; `ModelName` of the path by default.
  ///   - inputRoles: what each input is meant for, over what the file says.
  ///   - precision: the numbers that the forward pass multiplies.
  ///   - cache: where packed weights are kept for the next time; nil for nowhere.
  /// - Throws: a fault that names the tensors that are missing, unexpected, of the wrong shape or not finite, or
  ///   the field of the configuration that contradicts them.
  package convenience init(
    path: String, branch: String? = nil, name: String? = nil, inputRoles: [String]? = nil,
    precision: Precision = .float32, cache: WeightsCache? = nil
  ) throws {
    try self.init(
      file: openTensorFile(path: path, branch: branch),
      configuration: ModelConfiguration(besideWeights: path), name: name ?? ModelName.of(weights: path),
      inputRoles: inputRoles, precision: precision, cache: cache)
  }

  /// Takes a file of weights that is open or in memory.
  package convenience init(
    file: any TensorFile, name: String, inputRoles: [String]? = nil, precision: Precision = .float32,
    cache: WeightsCache? = nil
  ) throws {
    try self.init(
      file: file, configuration: nil, name: name, inputRoles: inputRoles, precision: precision, cache: cache)
  }

  private init(
    file: any TensorFile, configuration: ModelConfiguration?, name: String, inputRoles: [String]?,
    precision: Precision, cache: WeightsCache?
  ) throws {
    let checkpoint = try Self.checkpoint(file, configuration)
    geometry = checkpoint.geometry
    familyName = checkpoint.family.name
    format = file.format
    branches = file.branches
    trainedImageSizePx = checkpoint.trainedImageSizePx
    defaultImageSizePx = checkpoint.defaultImageSizePx
    expectedNormalization = checkpoint.normalization
    // Metadata whose place another word has taken are not looked at.
    let metadata = file.metadata.filter { inputRoles == nil || $0.key != TrainingFact.inputs.rawValue }
    trainingInput = TrainingInput(metadata: metadata, inputCount: geometry.inputChannels, name: file.name)
    self.inputRoles = try Self.checked(inputRoles, geometry.inputChannels) ?? trainingInput.inputs
    ignoredTensors = checkpoint.ignored
    let loaded = try LoadedWeights(checkpoint, of: file, precision: precision, cache: cache, model: name)
    weights = loaded.weights
    hash = loaded.hash
    weightsAreFromCache = loaded.areFromCache
    resampling = checkpoint.resampling
    headsAreAssumed = checkpoint.headsAreAssumed
    self.name = name
  }

  private static func checkpoint(
    _ file: any TensorFile, _ configuration: ModelConfiguration?
  ) throws -> ViTCheckpoint {
    do {
      return try ViTCheckpoint(file, configuration: configuration)
    } catch let fault as Fault where fault.remedy == ViTCheckpoint.remedy {
      let others = file.branches.all.filter { $0 != file.branches.chosen }.prefix(8)
      guard !others.isEmpty else { throw fault }
      throw Fault(
        fault.kind, fault.subject, fault.problem,
        remedy:
          "\(fault.remedy), or another branch of this file with --branch: \(others.joined(separator: ", "))")
    }
  }

  private static func checked(_ roles: [String]?, _ count: Int) throws -> [String]? {
    guard let roles else { return nil }
    guard roles.count == count, Set(roles).count == count else {
      throw Fault(
        .usage, "--inputs", expected: "\(count) different roles, one for each input of the model",
        found: roles.joined(separator: ","))
    }
    return roles
  }
}

// MARK: - Embedding

extension VisionTransformer {
  /// Embeds images that have exactly the model's inputs.
  ///
  /// An image's result depends on that image alone, to the last bit: not on the others, nor on `threads`.
  /// Pixels to the right and at the bottom that fill no patch are not looked at. An image with NaN or
  /// infinity gives a vector of NaN.
  ///
  /// - Parameter pooling: nil for `defaultPooling`.
  /// - Shape: `images` is [count, inputChannels, height, width], `vectors` [count, dimension(for: pooling)].
  /// - Throws: `usage` when the images are too small for a patch or too large for `maximumPatchCount`, or the
  ///   model has no such pooling.
  package func embed(
    _ images: UnsafeBufferPointer<Float>, count: Int, height: Int, width: Int,
    into vectors: UnsafeMutableBufferPointer<Float>, threads: Int, pooling: Pooling? = nil
  ) throws {
    let channels = geometry.inputChannels
    try embed(
      images, count: count, channels: channels, height: height, width: width,
      passes: [InputPass((0..<channels).map { .channel($0) })], into: vectors, threads: threads,
      pooling: pooling)
  }

  /// Embeds every image once a pass. A pass says for each input which channels of the image it sees.
  ///
  /// - Shape: `images` is [count, channels, height, width], `vectors` [count, passes.count,
  ///   dimension(for: pooling)].
  func embed(
    _ images: UnsafeBufferPointer<Float>, count: Int, channels: Int, height: Int, width: Int,
    passes: [InputPass], into vectors: UnsafeMutableBufferPointer<Float>, threads: Int,
    pooling: Pooling? = nil
  ) throws {
    let pooling = pooling ?? defaultPooling
    try check(pooling)
    let dimension = dimension(for: pooling)
    precondition(threads > 0 && count >= 0 && height >= 0 && width >= 0)
    precondition(passes.allSatisfy { $0.inputCount == geometry.inputChannels })
    precondition(images.count == count * channels * height * width, "images of another size")
    precondition(vectors.count == count * passes.count * dimension, "room for other vectors")
    let grid = try PatchGrid(height: height, width: width, patchSize: geometry.patchSize)
    guard let images = images.baseAddress, let vectors = vectors.baseAddress else { return }

    positions(for: grid).withUnsafeBufferPointer { positions in
      guard let positions = positions.baseAddress else { return }
      EmbeddingJob(
        geometry: geometry, weights: weights, positions: positions, grid: grid, images: images, count: count,
        channels: channels, pixelCount: height * width, passes: passes, pooling: pooling, vectors: vectors,
        dimension: dimension
      ).run(threads: threads)
    }
  }

  /// Positions of the patches of a grid, as `ForwardPass` takes them.
  private func positions(for grid: PatchGrid) -> [Float] {
    if case .learned(let table) = weights.positions, grid.isStored(of: geometry) { return table }
    return resampled.withLock { cache in
      if let cache, cache.grid == grid { return cache.positions }
      let positions = weights.positions.values(for: grid, of: geometry, by: resampling)
      cache = (grid, positions)
      return positions
    }
  }
}

extension ViTWeights.Positions {
  /// Positions of the patches of a grid, as `ForwardPass` takes them. A learned table is used as stored when
  /// the image has the size of the training; else resampled, as the reference implementations do it for every
  /// image that is not square.
  func values(for grid: PatchGrid, of geometry: ViTGeometry, by resampling: PositionResampling) -> [Float] {
    switch self {
    case .learned(let table):
      grid.isStored(of: geometry)
        ? table
        : resampling.resample(
          table, side: geometry.gridSize ?? 0, width: geometry.width, rows: grid.rows, columns: grid.columns)
    case .rotary(let periods): RotaryPositions.turns(periods: periods, rows: grid.rows, columns: grid.columns)
    }
  }
}

/// How an image is cut into patches.
struct PatchGrid: Equatable {
  let rows: Int
  let columns: Int
  /// Pixels from one row of the image to the next.
  let imageWidth: Int
  let isSquareImage: Bool

  var patchCount: Int { rows * columns }

  /// Whether a model has positions for this very grid.
  func isStored(of geometry: ViTGeometry) -> Bool { isSquareImage && rows == geometry.gridSize }

  init(height: Int, width: Int, patchSize: Int) throws {
    rows = height / patchSize
    columns = width / patchSize
    imageWidth = width
    isSquareImage = height == width
    guard rows > 0, columns > 0 else {
      throw Fault(
        .usage, "crop of \(height) x \(width) px", "is smaller than the model's patch of \(patchSize) px",
        remedy: "use larger crops")
    }
    let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
    guard !overflow, count <= VisionTransformer.maximumPatchCount else {
      throw Fault(
        .usage, "crop of \(height) x \(width) px",
        expected: "at most \(VisionTransformer.maximumPatchCount) patches of \(patchSize) px",
        found: "\(rows) x \(columns)", remedy: "use smaller crops")
    }
  }
}
