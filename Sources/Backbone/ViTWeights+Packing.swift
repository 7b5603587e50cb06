extension ViTWeights {
  /// Packs the tensors of a checkpoint into memory of the process.
  ///
  /// - Parameter smoothing: of int8 only, and needed there.
  /// - Throws: `badData` for tensors that are not finite.
  convenience init(
    _ checkpoint: ViTCheckpoint, precision: Precision = .float32, smoothing: SmoothQuantization? = nil
  ) throws {
    var memory = PackedWeightsInMemory()
    try Self.pack(checkpoint, precision: precision, smoothing: smoothing, into: &memory)
    try self.init(memory.finish(), geometry: checkpoint.geometry, precision: precision)
  }

  /// Makes the arrays that `init` reads from the tensors of a checkpoint, of which few are in memory at a time.
  ///
  /// - Throws: `badData` for tensors that are not finite, and what the target throws.
  static func pack(
    _ checkpoint: ViTCheckpoint, precision: Precision, smoothing: SmoothQuantization? = nil,
    into target: inout some PackedWeightsTarget & ~Copyable
  ) throws {
    let geometry = checkpoint.geometry
    let width = geometry.width
    try pack(
      checkpoint, "patch_embed.proj", as: "patch", geometry.patchValueCount, width, precision.floating,
      into: &target)
    var leading = try checkpoint.floats("cls_token")
    if geometry.gridSize != nil {
      var table = try checkpoint.floats("pos_embed")
      if geometry.classHasPosition {
        for component in 0..<width { leading[component] += table[component] }
        table.removeFirst(width)
      }
      try target.add("positions", table)
    } else {
      try target.add("periods", try checkpoint.ropePeriods())
    }
    if geometry.registerCount > 0 { leading += try checkpoint.floats("register_tokens") }
    try target.add("leading", leading)
    for number in 0..<geometry.depth {
      try packBlock(checkpoint, "blocks.\(number).", precision, smoothing?.block(number), into: &target)
      checkpoint.releasePages()
    }
    try packNorm(checkpoint, "norm", into: &target)
    if let pooling = geometry.attentionPooling { try packPool(checkpoint, pooling, into: &target) }
    checkpoint.releasePages()
  }

  private static func packBlock(
    _ checkpoint: ViTCheckpoint, _ prefix: String, _ precision: Precision,
    _ smoothing: SmoothQuantization.Block?, into target: inout some PackedWeightsTarget & ~Copyable
  ) throws {
    let geometry = checkpoint.geometry
    let width = geometry.width
    let mlp = geometry.mlp.tensorNames
    func calibration(_ input: ProductInput) -> Linear.Calibration? {
      smoothing?.product(of: input, mlp: geometry.mlp)
    }
    /// Of results of which those behind the first `unchanged` become an input.
    func scale(_ unchanged: Int, then input: ProductInput) -> [Float] {
      smoothing.map { [Float](repeating: 1, count: unchanged) + $0.inverses(of: input) } ?? []
    }
    try packNorm(
      checkpoint, prefix + "norm1", factors: smoothing?.inverses(of: .attention) ?? [], into: &target)
    // One tensor holds queries, keys and values; queries are split off because the last block needs few of them.
    let bias = try checkpoint.floats(prefix + "attn.qkv.bias")
    try checkpoint.floats(prefix + "attn.qkv.weight").withUnsafeBufferPointer { joint in
      let split = width * width
      try Linear.pack(
        prefix + "query", weights: UnsafeBufferPointer(rebasing: joint[..<split]),
        bias: Array(bias.prefix(width)), inputs: width, outputs: width, precision: precision,
        calibration: calibration(.attention), into: &target)
      try Linear.pack(
        prefix + "keyValue", weights: UnsafeBufferPointer(rebasing: joint[split...]),
        bias: Array(bias.dropFirst(width)), scale: scale(width, then: .context), inputs: width,
        outputs: 2 * width, precision: precision, calibration: calibration(.attention), into: &target)
    }
    func layerScale(_ name: String) throws -> [Float] {
      geometry.hasLayerScale ? try checkpoint.floats("\(prefix)\(name).gamma") : []
    }
    try pack(
      checkpoint, prefix + "attn.proj", as: prefix + "projection", scale: layerScale("ls1"), width, width,
      precision, calibration(.context), into: &target)
    try packNorm(checkpoint, prefix + "norm2", factors: smoothing?.inverses(of: .mlp) ?? [], into: &target)
    try pack(
      checkpoint, prefix + mlp.first, as: prefix + "hidden",
      scale: geometry.mlp == .swiglu ? scale(geometry.mlpWidth, then: .hidden) : [], width,
      geometry.hiddenUnitCount, precision, calibration(.mlp), into: &target)
    try pack(
      checkpoint, prefix + mlp.last, as: prefix + "output", scale: layerScale("ls2"), geometry.mlpWidth,
      width, precision, calibration(.hidden), into: &target)
  }

  /// - Parameter factors: what results are multiplied with, [width], or none.
  private static func packNorm(
    _ checkpoint: ViTCheckpoint, _ name: String, factors: [Float] = [],
    into target: inout some PackedWeightsTarget & ~Copyable
  ) throws {
    func values(_ kind: String) throws -> [Float] {
      let values = try checkpoint.floats(name + kind)
      return factors.isEmpty ? values : zip(values, factors).map { $0 * $1 }
    }
    try target.add(name + ".gamma", try values(".weight"))
    try target.add(name + ".beta", try values(".bias"))
  }

  /// The gates of tanh, then those of gelu.
  private static func packPool(
    _ checkpoint: ViTCheckpoint, _ pooling: ViTGeometry.AttentionPooling,
    into target: inout some PackedWeightsTarget & ~Copyable
  ) throws {
    func joint(_ kind: String) throws -> [Float] {
      try checkpoint.floats("pool.v" + kind) + checkpoint.floats("pool.u" + kind)
    }
    try joint(".weight").withUnsafeBufferPointer {
      try Linear.pack(
        "pool.gates", weights: $0, bias: joint(".bias"), inputs: checkpoint.geometry.width,
        outputs: 2 * pooling.hiddenWidth, precision: .float32, into: &target)
    }
    try target.add("pool.scores", try checkpoint.floats("pool.scores.weight"))
  }

  /// - Parameter name: what the layer is called from then on.
  private static func pack(
    _ checkpoint: ViTCheckpoint, _ tensor: String, as name: String, scale: [Float] = [], _ inputs: Int,
    _ outputs: Int, _ precision: Precision, _ calibration: Linear.Calibration? = nil,
    into target: inout some PackedWeightsTarget & ~Copyable
  ) throws {
    try checkpoint.floats(tensor + ".weight").withUnsafeBufferPointer {
      try Linear.pack(
        name, weights: $0, bias: checkpoint.floats(tensor + ".bias"), scale: scale, inputs: inputs,
        outputs: outputs, precision: precision, calibration: calibration, into: &target)
    }
  }
}
