import Kernels

/// The forward pass of one image, by a team of threads that share its memory; and that memory, for any number of
/// images one after the other.
///
/// What a row goes through depends on that row and, in attention, on the keys and values of all; never on which
/// thread works on it, nor with which other rows. So results are the same for any team.
///
/// Letters: T tokens, D width, S rows of a strip. Rows go through a block in strips, each by one member of the team:
/// from what attention gathered to the queries, keys and values of the next block. The team waits for one another
/// twice a block: before attention, which needs all keys, and after it.
///
/// Unchecked: members write to disjoint rows between two waits.
final class ForwardPass: @unchecked Sendable {
  let geometry: ViTGeometry
  let weights: ViTWeights
  let grid: PatchGrid
  let tokenCount: Int
  let members: Int
  private let positions: UnsafePointer<Float>
  private let barrier: UnsafeMutablePointer<kernels_barrier>
  private let isa = kernels_active_isa()
  private let arena: ScratchMemory
  private let observer: ActivationObserver?

  /// The residual stream, float32 [T, D].
  private let tokens: Rows
  /// Queries [T, D], keys and values [T, 2 D], what attention gathered [T, D].
  private let query: Rows
  private let keyValue: Rows
  private let context: Rows
  /// The last layer norm, float32 [T, D], dense; in the memory of keys and values.
  let normed: Rows
  /// What each member has for itself.
  private let own: [Own]

  /// The scratch of one member of a team.
  struct Own {
    /// The input of a product: [S, D], or the pixels of S patches.
    let input: Rows
    /// Hidden units of the MLP, [S, mlpWidth].
    let hidden: Rows
    /// With int8, these in 8 bits; and what a step of each row of a product's input stands for, [S].
    let quantized: Rows
    let steps: UnsafeMutablePointer<kernels_step>
    /// float32 before it is rounded, or where the kernels in between know nothing else: [S, wideCount].
    let wide: Rows
    /// A head's packed keys and values, and the memory of `kernels_attend`.
    let head: UnsafeMutableRawPointer
    let attention: UnsafeMutableRawPointer
  }

  private var isInt8: Bool { weights.precision == .int8 }
  /// The numbers of attention and of patches, and but for int8 those of all products.
  private var floating: Precision { weights.precision.floating }
  /// The numbers of what the MLP's first layer leaves. In 8 bits they are only when all of a row are there.
  private var hiddenNumbers: Precision { isInt8 ? .bfloat16 : floating }
  private var width: Int { geometry.width }
  private var isRotary: Bool { geometry.gridSize == nil }

  /// - Parameters:
  ///   - positions: of the grid's patches, [patchCount, D] to be added, or with rotary positions the turns
  ///     [patchCount, D / heads]; must outlive this.
  ///   - members: threads of a team.
  ///   - observer: sees the inputs of the blocks' products; of float32 only.
  init(
    geometry: ViTGeometry, weights: ViTWeights, positions: UnsafePointer<Float>, grid: PatchGrid,
    members: Int,
    observer: ActivationObserver? = nil
  ) {
    precondition(observer == nil || weights.precision == .float32 && members == 1)
    self.observer = observer
    self.geometry = geometry
    self.weights = weights
    self.positions = positions
    self.grid = grid
    self.members = members
    let tokenCount = geometry.leadingTokenCount + grid.patchCount
    self.tokenCount = tokenCount
    barrier = .allocate(capacity: 1)
    barrier.initialize(to: kernels_barrier(members: Int32(members), arrived: 0, round: 0))

    let width = geometry.width
    let arena = ScratchMemory()
    self.arena = arena
    let isInt8 = weights.precision == .int8
    let number = weights.precision.floating.number
    func activations(_ rows: Int, _ count: Int, _ number: kernels_number) -> Rows {
      arena.rows(rows, bytes: kernels_row_bytes(number, count))
    }
    tokens = arena.rows(tokenCount, bytes: 4 * width)
    query = activations(tokenCount, width, number)
    context = activations(tokenCount, width, number)
    let keyValueBytes = kernels_row_bytes(number, 2 * width)
    let shared = arena.bytes(max(tokenCount * Self.padded(keyValueBytes), tokenCount * 4 * width))
    keyValue = Rows(start: shared, stride: Self.padded(keyValueBytes))
    normed = Rows(start: shared, stride: 4 * width)

    let strip = Strips(rows: tokenCount, members: members).longest
    let wideCount = max(
      2 * width, geometry.patchValueCount, geometry.hiddenUnitCount,
      2 * (geometry.attentionPooling?.hiddenWidth ?? 0))
    let isa = self.isa
    own = (0..<members).map { _ in
      Own(
        input: activations(strip, max(width, geometry.patchValueCount), number),
        hidden: activations(strip, geometry.mlpWidth, isInt8 ? KERNELS_BF16 : number),
        quantized: activations(isInt8 ? strip : 0, geometry.mlpWidth, KERNELS_I8),
        steps: arena.bytes(strip * MemoryLayout<kernels_step>.stride)
          .bindMemory(to: kernels_step.self, capacity: strip),
        wide: arena.rows(strip, bytes: 4 * wideCount, dense: true),
        head: arena.bytes(kernels_head_bytes(isa, number, tokenCount, geometry.headWidth)),
        attention: arena.bytes(kernels_attend_bytes(isa, number, tokenCount, geometry.headWidth)))
    }
  }

  deinit { barrier.deallocate() }

  /// Bytes between rows: whole cache lines, and not a power of two, which would make all rows of a tile fight for
  /// the same lines of the cache.
  static func padded(_ bytes: Int) -> Int { (bytes + 63) / 64 * 64 + 64 }

  /// Writes the embedding of an image; called by every member of the team, and returns when all are done.
  ///
  /// - Parameter planes: one plane of pixels an input, nil being zeros.
  func run(
    _ planes: [UnsafePointer<Float>?], pooling: Pooling, into vector: UnsafeMutablePointer<Float>, member: Int
  ) {
    let strips = Strips(rows: tokenCount, members: members)
    // Where nothing but the class token is read after the last block, that block computes nothing else.
    let read = pooling == .classToken ? 1 : tokenCount
    let last = weights.blocks.count - 1
    func queries(_ block: Int) -> Int { block == last ? read : tokenCount }

    strips.forEach(of: member) { strip in
      embedPatches(strip, of: planes, own[member])
      if last >= 0 { project(0, strip, queries: queries(0), own[member]) }
    }
    for number in weights.blocks.indices {
      wait()
      attend(queries: queries(number), member)
      wait()
      strips.forEach(of: member) { strip in
        let active = strip.clamped(to: 0..<queries(number))
        if !active.isEmpty { update(number, active, own[member]) }
        if number < last { project(number + 1, strip, queries: queries(number + 1), own[member]) }
      }
    }
    wait()
    if member == 0 {
      for row in 0..<read { weights.norm.apply(tokens.floats(row), width: width, into: normed.floats(row)) }
      pool(by: pooling, own[0], into: vector)
    }
  }

  private func wait() {
    if members > 1 { kernels_barrier_wait(barrier) }
  }

  /// Where float32 rows are written that `target` is to have in the numbers of `floating`: there at once, or where
  /// `round` takes them from.
  private func unrounded(_ count: Int, for target: Rows, _ own: Own) -> Rows {
    floating == .float32 ? target : Rows(start: own.wide.start, stride: 4 * count)
  }

  /// Rounds rows to `floating`, unless that is float32.
  private func round(_ rows: Int, _ count: Int, _ unrounded: Rows, into target: Rows) {
    guard floating != .float32 else { return }
    for row in 0..<rows {
      let rounded = target.from(row).start.assumingMemoryBound(to: UInt16.self)
      kernels_round_bf16(isa, count, unrounded.floats(row), rounded)
      // Products take whole words.
      if count % 2 == 1 { rounded[count] = 0 }
    }
  }
}

// MARK: - Patches

extension ForwardPass {
  /// Fills a strip of `tokens`: class token, registers, then every patch's projection with its position.
  private func embedPatches(_ strip: Range<Int>, of planes: [UnsafePointer<Float>?], _ own: Own) {
    let leading = geometry.leadingTokenCount
    for row in strip.clamped(to: 0..<leading) {
      tokens.floats(row).update(from: weights.leadingTokens + row * width, count: width)
    }
    let patches = strip.clamped(to: leading..<tokenCount)
    guard !patches.isEmpty else { return }
    let pixels = unrounded(geometry.patchValueCount, for: own.input, own)
    for (index, row) in patches.enumerated() {
      copyPatch(row - leading, of: planes, to: pixels.floats(index))
      if isRotary {
        tokens.floats(row).update(repeating: 0, count: width)
      } else {
        tokens.floats(row).update(from: positions + (row - leading) * width, count: width)
      }
    }
    round(patches.count, geometry.patchValueCount, pixels, into: own.input)
    weights.patch.multiply(
      own.input, rows: patches.count, KERNELS_RESIDUAL, as: .float32, into: tokens.from(patches.lowerBound))
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
  /// The layer norm of rows of the stream, as the input of a product.
  private func normalize(_ norm: ViTWeights.LayerNorm, _ rows: Range<Int>, _ own: Own) {
    if isInt8 {
      let stream = tokens.from(rows.lowerBound)
      kernels_layer_norm_quantized(
        isa, norm.gamma, norm.beta, norm.epsilon, rows.count, width, stream.floats(), stream.stride,
        own.wide.floats(), own.input.bytes, own.input.stride, own.steps)
      return
    }
    let normed = unrounded(width, for: own.input, own)
    for (index, row) in rows.enumerated() {
      norm.apply(tokens.floats(row), width: width, into: normed.floats(index))
    }
    round(rows.count, width, normed, into: own.input)
  }

  /// Rows as the input of a product: with int8 in 8 bits, which `target` has room for.
  private func input(
    _ rows: Rows, _ count: Int, _ width: Int, of numbers: Precision, quantizedInto target: Rows, _ own: Own
  ) -> Rows {
    guard isInt8 else { return rows }
    kernels_quantize(
      isa, numbers.number, count, width, rows.start, rows.stride, target.bytes, target.stride, own.steps)
    return target
  }

  /// Queries, keys and values of a strip for a block; queries of the first `count` tokens only.
  private func project(_ number: Int, _ strip: Range<Int>, queries count: Int, _ own: Own) {
    let block = weights.blocks[number]
    normalize(block.norm1, strip, own)
    observer?.observe(own.input, strip.count, as: .attention, ofBlock: number)
    project(block.keyValue, strip, own, into: keyValue)
    let queries = strip.clamped(to: 0..<count)
    if !queries.isEmpty { project(block.query, queries, own, into: query) }
  }

  private func project(_ linear: Linear, _ rows: Range<Int>, _ own: Own, into target: Rows) {
    let target = target.from(rows.lowerBound)
    guard isRotary else {
      linear.multiply(own.input, own.steps, rows: rows.count, as: floating, into: target)
      return
    }
    let turned = unrounded(linear.outputs, for: target, own)
    linear.multiply(own.input, own.steps, rows: rows.count, as: .float32, into: turned)
    let leading = geometry.leadingTokenCount
    let patches = rows.clamped(to: leading..<tokenCount)
    // Class token and registers have no position. Behind the queries or keys are the values, which are not turned.
    if !patches.isEmpty {
      kernels_rotate(
        positions + (patches.lowerBound - leading) * geometry.headWidth, patches.count, geometry.heads,
        geometry.headWidth, turned.stride / 4, turned.floats(patches.lowerBound - rows.lowerBound))
    }
    round(rows.count, linear.outputs, turned, into: target)
  }

  /// context = softmax(Q K^T / sqrt(head width)) V for a member's share of the heads, or of the rows where heads
  /// cannot be shared out evenly.
  private func attend(queries count: Int, _ member: Int) {
    let number = floating.number
    let size = floating == .float32 ? 4 : 2
    let byHeads = geometry.heads % members == 0
    let rows = byHeads ? 0..<count : count * member / members..<count * (member + 1) / members
    guard !rows.isEmpty else { return }
    for head in 0..<geometry.heads where !byHeads || head % members == member {
      let start = head * geometry.headWidth * size
      let keys = keyValue.advanced(bytes: start)
      kernels_pack_head(
        isa, number, keys.start, keys.start + width * size, keyValue.stride, tokenCount, geometry.headWidth,
        own[member].head)
      let queries = query.from(rows.lowerBound).advanced(bytes: start)
      let target = context.from(rows.lowerBound).advanced(bytes: start)
      kernels_attend(
        isa, number, queries.start, queries.stride, rows.count, own[member].head, tokenCount,
        geometry.headWidth,
        own[member].attention, target.start, target.stride)
    }
  }

  /// Adds what attention gathered, then the MLP, to rows of the stream.
  private func update(_ number: Int, _ rows: Range<Int>, _ own: Own) {
    let block = weights.blocks[number]
    let stream = tokens.from(rows.lowerBound)
    let gathered = context.from(rows.lowerBound)
    observer?.observe(gathered, rows.count, as: .context, ofBlock: number)
    block.projection.multiply(
      input(gathered, rows.count, width, of: floating, quantizedInto: own.input, own), own.steps,
      rows: rows.count, KERNELS_RESIDUAL, as: .float32, into: stream)
    normalize(block.norm2, rows, own)
    observer?.observe(own.input, rows.count, as: .mlp, ofBlock: number)
    var (hidden, numbers) = (own.hidden, hiddenNumbers)
    switch geometry.mlp {
    case .gelu:
      block.hidden.multiply(
        own.input, own.steps, rows: rows.count, KERNELS_GELU, as: numbers, into: hidden)
    case .swiglu:
      let gated = Rows(start: own.wide.start, stride: 4 * geometry.hiddenUnitCount)
      block.hidden.multiply(own.input, own.steps, rows: rows.count, as: .float32, into: gated)
      kernels_silu_gate(block.hidden.biasOrZeros, rows.count, geometry.mlpWidth, gated.floats())
      if isInt8 || floating == .float32 {
        (hidden, numbers) = (gated, .float32)
      } else {
        round(rows.count, geometry.mlpWidth, gated, into: hidden)
      }
    }
    observer?.observe(hidden, rows.count, as: .hidden, ofBlock: number)
    block.output.multiply(
      input(hidden, rows.count, geometry.mlpWidth, of: numbers, quantizedInto: own.quantized, own), own.steps,
      rows: rows.count, KERNELS_RESIDUAL, as: .float32, into: stream)
  }
}
