import Formats
import Identity

/// The weights of a checkpoint, ready for the forward pass, with what identifies them.
struct LoadedWeights {
  let weights: ViTWeights
  /// Of the file, and of how it is read.
  let hash: ContentHash
  /// Whether they were in the cache; the tensors of the file have not been looked at then.
  let areFromCache: Bool

  /// - Parameter model: what the model is called.
  /// - Throws: `badData` for tensors that are not finite, `usage` for a model that int8 does not suit.
  init(
    _ checkpoint: ViTCheckpoint, of file: any TensorFile, precision: Precision, cache: WeightsCache?,
    model: String
  ) throws {
    let geometry = checkpoint.geometry
    func key(_ content: ContentHash) -> WeightsCache.Key {
      let hash = Self.hash(content, branches: file.branches, configured: checkpoint.configured)
      return WeightsCache.Key(hash: hash, precision: precision)
    }
    /// nil also for weights that are of other arrays than this program reads.
    func cached(_ key: WeightsCache.Key) -> ViTWeights? {
      guard let packed = cache?.weights(of: key) else { return nil }
      return try? ViTWeights(packed, geometry: geometry, precision: precision)
    }

    let known = file.identities.flatMap { cache?.digests.digest(of: $0) }
    if let known, let weights = cached(key(known)) {
      self.init(weights: weights, hash: key(known).hash, areFromCache: true)
      return
    }
    // What is known was not enough: whatever is packed is packed from what the file holds now.
    let content = file.digest()
    let key = key(content)
    if content != known, let weights = cached(key) {
      if file.isUnchanged { Self.remember(content, of: file, in: cache) }
      self.init(weights: weights, hash: key.hash, areFromCache: true)
      return
    }
    // Models that do not suit int8 are refused before anything is kept of them.
    let smoothing = precision == .int8 ? try SmoothQuantization(tried: checkpoint, model: model) : nil
    let stored = try cache?.store(
      key, model: model,
      pack: { try ViTWeights.pack(checkpoint, precision: precision, smoothing: smoothing, into: &$0) },
      where: { file.isUnchanged && cached(key) == nil })
    if let stored, let weights = try? ViTWeights(stored, geometry: geometry, precision: precision) {
      Self.remember(content, of: file, in: cache)
      self.init(weights: weights, hash: key.hash, areFromCache: false)
      return
    }
    self.init(
      weights: try ViTWeights(checkpoint, precision: precision, smoothing: smoothing), hash: key.hash,
      areFromCache: false)
  }

  private init(weights: ViTWeights, hash: ContentHash, areFromCache: Bool) {
    self.weights = weights
    self.hash = hash
    self.areFromCache = areFromCache
  }

  private static func remember(_ content: ContentHash, of file: any TensorFile, in cache: WeightsCache?) {
    if let cache, let identities = file.identities { cache.digests.remember(content, of: identities) }
  }

  /// - Parameter configured: what tells this reading of the file from another, but for the branch.
  private static func hash(_ content: ContentHash, branches: TensorBranches, configured: String)
    -> ContentHash
  {
    let changes = [branches.unusual.map { "branch \($0)" } ?? "", configured].filter { !$0.isEmpty }
    return changes.isEmpty ? content : ContentHash(of: "\(content) \(changes.joined(separator: "; "))")
  }
}

extension TensorFile {
  /// The digest of all bytes of its files, of which few are in memory at a time.
  func digest() -> ContentHash {
    let pieceByteCount = 4 << 20
    var hasher = ContentHasher()
    for file in files {
      file.bytes.withUnsafeBytes { bytes in
        for start in stride(from: 0, to: bytes.count, by: pieceByteCount) {
          hasher.combine(
            UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + pieceByteCount, bytes.count)]))
          file.bytes.releasePages()
        }
      }
    }
    return hasher.finalize()
  }
}
