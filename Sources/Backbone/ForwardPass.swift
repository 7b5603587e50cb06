import Copenblas
import Kernels

/// One thread's forward pass with its memory: images go through one at a time, in products whose shapes
/// depend on the image size alone, so that a result never depends on what else is embedded.
///
/// Letters: T tokens, D width, S rows of a strip. After its keys and values, a block works through the tokens
/// in strips, which bounds the attention scores and hidden units that exist at a time.
struct ForwardPass: ~Copyable {
  let geometry: ViTGeometry
  let weights: ViTWeights
  private let positions: UnsafePointer<Float>
  let grid: PatchGrid
  let tokenCount: Int
  private let stripRows: Int

  private let memory: UnsafeMutablePointer<Float>
  /// The residual stream, [T, D].
  private let tokens: UnsafeMutablePointer<Float>
  /// Its layer norm, [T, D].
  let normed: UnsafeMutablePointer<Float>
  /// Keys and values, [T, 2 D].
  private let keyValue: UnsafeMutablePointer<Float>
  /// Queries, later the input of the MLP, [S, D].
  private let query: UnsafeMutablePointer<Float>
  /// Attention scores of one head, [S, T]; also the weights of the tokens that are pooled, [heads, T].
  let scores: UnsafeMutablePointer<Float>
  /// What attention gathered, [S, D].
  private let context: UnsafeMutablePointer<Float>
  /// The end of a residual branch before it is added, [S, D].
  private let branch: UnsafeMutablePointer<Float>
  /// Hidden units of the MLP, [S, hiddenUnitCount]; also the pixels of S patches, and the gates of S pooled
  /// tokens.
  let hidden: UnsafeMutablePointer<Float>

  /// - Parameter positions: of the grid's patches, [patchCount, D] to be added, or with rotary positions the
  ///   turns [patchCount, D / heads]; must outlive this.
  init(geometry: ViTGeometry, weights: ViTWeights, positions: UnsafePointer<Float>, grid: PatchGrid) {
    self.geometry = geometry
    self.weights = weights
    self.positions = positions
    self.grid = grid
    let tokenCount = geometry.leadingTokenCount + grid.patchCount
    // Strips of equal size, at most 256 rows: a short last one would waste a pass over the weights.
    let strips = (tokenCount + 255) / 256
    let stripRows = (tokenCount + strips - 1) / strips
    self.tokenCount = tokenCount
    self.stripRows = stripRows

    let width = geometry.width
    let sizes = [
      tokenCount * width, tokenCount * width, tokenCount * 2 * width, stripRows * width,
      max(stripRows, geometry.attentionPooling?.heads ?? 0) * tokenCount, stripRows * width,
      stripRows * width,
      stripRows
        * max(
          geometry.hiddenUnitCount, geometry.patchValueCount,
          2 * (geometry.attentionPooling?.hiddenWidth ?? 0)),
    ].map { ($0 + 15) / 16 * 16 }
    memory = .allocate(capacity: sizes.reduce(0, +))
    var free = memory
    func take(_ index: Int) -> UnsafeMutablePointer<Float> {
      defer { free += sizes[index] }
      return free
    }
    tokens = take(0)
    normed = take(1)
    keyValue = take(2)
    query = take(3)
    scores = take(4)
    context = take(5)
    branch = take(6)
    hidden = take(7)
  }

  deinit { memory.deallocate() }

  /// Writes the embedding of an image.
  ///
  /// - Parameter planes: one plane of pixels an input, nil being zeros.
  func run(
    _ planes: [UnsafePointer<Float>?], pooling: Pooling, into vector: UnsafeMutablePointer<Float>
  ) {
    embedPatches(planes)
    for block in weights.blocks.dropLast() { apply(block, to: tokenCount) }
    // Where nothing but the class token is read after the last block, that block computes nothing else.
    let read = pooling == .classToken ? 1 : tokenCount
    if let last = weights.blocks.last { apply(last, to: read) }
    weights.norm.apply(tokens, rows: read, width: geometry.width, into: normed)
    pool(by: pooling, into: vector)
  }

  /// Calls `body` with the first row and the number of rows of every strip of `count` rows.
  func forEachStrip(of count: Int, _ body: (Int, Int) -> Void) {
    for start in stride(from: 0, to: count, by: stripRows) { body(start, min(stripRows, count - start)) }
  }
}

// MARK: - Patches

extension ForwardPass {
  /// Fills `tokens`: class token, registers, then every patch's projection with its position.
  private func embedPatches(_ planes: [UnsafePointer<Float>?]) {
    let width = geometry.width
    let leading = geometry.leadingTokenCount
    tokens.update(from: weights.leadingTokens, count: leading * width)
    forEachStrip(of: grid.patchCount) { start, rows in
      for row in 0..<rows { copyPatch(start + row, of: planes, to: hidden + row * geometry.patchValueCount) }
      let target = tokens + (leading + start) * width
      weights.patch.multiply(hidden, rows: rows, into: target)
      if geometry.gridSize != nil {
        kernels_add_residual(positions + start * width, weights.patch.bias, nil, rows, width, target)
      } else {
        kernels_add_bias(weights.patch.bias, rows, width, target)
      }
    }
  }

  /// Copies a patch's pixels, [inputs, patchSize, patchSize].
  private func copyPatch(
    _ patch: Int, of planes: [UnsafePointer<Float>?], to target: UnsafeMutablePointer<Float>
  ) {
    let side = geometry.patchSize
    let (row, column) = patch.quotientAndRemainder(dividingBy: grid.columns)
    var target = target
    for plane in planes {
      if let plane {
        let corner = plane + row * side * grid.imageWidth + column * side
        for line in 0..<side {
          (target + line * side).update(from: corner + line * grid.imageWidth, count: side)
        }
      } else {
        target.update(repeating: 0, count: side * side)
      }
      target += side * side
    }
  }
}

// MARK: - Blocks

extension ForwardPass {
  /// Lets the first `queryCount` tokens attend to all, and updates them.
  private func apply(_ block: ViTWeights.Block, to queryCount: Int) {
    let width = geometry.width
    block.norm1.apply(tokens, rows: tokenCount, width: width, into: normed)
    block.keyValue.multiply(normed, rows: tokenCount, into: keyValue)
    kernels_add_bias(block.keyValue.bias, tokenCount, 2 * width, keyValue)
    rotate(keyValue, tokens: 0..<tokenCount, stride: 2 * width)
    forEachStrip(of: queryCount) { start, rows in
      let stream = tokens + start * width

      block.query.multiply(normed + start * width, rows: rows, into: query)
      kernels_add_bias(block.query.bias, rows, width, query)
      rotate(query, tokens: start..<start + rows, stride: width)
      for head in 0..<geometry.heads { attend(head, rows: rows) }
      block.projection.multiply(context, rows: rows, into: branch)
      kernels_add_residual(branch, block.projection.bias, block.scale1, rows, width, stream)

      block.norm2.apply(stream, rows: rows, width: width, into: query)
      block.hidden.multiply(query, rows: rows, into: hidden)
      switch geometry.mlp {
      case .gelu: kernels_add_bias_gelu(block.hidden.bias, rows, geometry.mlpWidth, hidden)
      case .swiglu: kernels_silu_gate(block.hidden.bias, rows, geometry.mlpWidth, hidden)
      }
      block.output.multiply(hidden, stride: geometry.hiddenUnitCount, rows: rows, into: branch)
      kernels_add_residual(branch, block.output.bias, block.scale2, rows, width, stream)
    }
  }

  /// Turns the queries or keys of patches by their positions; class token and registers have none.
  private func rotate(_ rows: UnsafeMutablePointer<Float>, tokens: Range<Int>, stride: Int) {
    guard geometry.gridSize == nil else { return }
    let leading = geometry.leadingTokenCount
    let patches = tokens.clamped(to: leading..<tokenCount)
    guard !patches.isEmpty else { return }
    kernels_rotate(
      positions + (patches.lowerBound - leading) * geometry.headWidth, patches.count, geometry.heads,
      geometry.headWidth, stride, rows + (patches.lowerBound - tokens.lowerBound) * stride)
  }

  /// context = softmax(Q K^T / sqrt(head width)) V, for one head's columns.
  private func attend(_ head: Int, rows: Int) {
    let width = blasint(geometry.width)
    let headWidth = geometry.headWidth
    let key = keyValue + head * headWidth
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, blasint(rows), blasint(tokenCount), blasint(headWidth),
      1 / Float(headWidth).squareRoot(), query + head * headWidth, width, key, 2 * width, 0, scores,
      blasint(tokenCount))
    kernels_softmax(rows, tokenCount, scores)
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(rows), blasint(headWidth), blasint(tokenCount), 1,
      scores, blasint(tokenCount), key + geometry.width, 2 * width, 0, context + head * headWidth, width)
  }
}
