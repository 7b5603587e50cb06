import Backbone
import Glibc
import Identity
import Kernels
import Randomness

/// What `models time` writes.
struct ModelTiming: Encodable {
  let model: String
  let hash: String
  let architecture: String
  /// What the kernels run on: "avx2".
  let instructionSet: String
  let sizePx: Int
  let batch: Int
  let threads: Int
  let pooling: Pooling
  let precision: Precision
  /// From the start of reading the file until the model can embed.
  let loadSeconds: Double
  /// Whether packed weights were in the cache.
  let loadedFromCache: Bool
  /// The first batch, which also touches memory for the first time.
  let warmUpSeconds: Double
  /// Batches measured after it.
  let rounds: Int
  let imagesPerSecond: Rate
  /// The most memory that the process has held so far; nil where the system does not tell.
  let peakByteCount: Int?

  struct Rate: Encodable {
    let median: Double
    let best: Double
  }

  init(
    of model: VisionTransformer, sizePx: Int, batch: Int, threads: Int, pooling: Pooling, load: Duration,
    rounds: EmbeddingRounds
  ) {
    self.model = model.name
    hash = model.hash.description
    architecture = model.geometry.architecture
    instructionSet = String(cString: kernels_isa_name(kernels_active_isa()))
    self.sizePx = sizePx
    self.batch = batch
    self.threads = threads
    self.pooling = pooling
    precision = model.precision
    loadSeconds = load / .seconds(1)
    loadedFromCache = model.weightsAreFromCache
    warmUpSeconds = rounds.warmUp / .seconds(1)
    self.rounds = rounds.durations.count
    imagesPerSecond = Rate(rounds.durations.map { Double(batch) / ($0 / .seconds(1)) })
    peakByteCount = peakMemoryByteCount()
  }

  var card: Card {
    let rate = imagesPerSecond
    return Card([
      ("model", .text(model)), ("architecture", .text(architecture)),
      ("instruction set", .text(instructionSet)),
      ("images", .text("\(sizePx) x \(sizePx) px, \(batch) a batch, pooling \(pooling.rawValue)")),
      ("precision", .text(precision.rawValue)), ("threads", .integer(threads)),
      ("load", .text("\(fixed(loadSeconds, decimals: 3)) s\(loadedFromCache ? " from the cache" : "")")),
      ("warm-up", .text("\(fixed(warmUpSeconds, decimals: 3)) s")), ("rounds", .integer(rounds)),
      (
        "images/s",
        .text("\(fixed(rate.median, decimals: 2)) in the median, \(fixed(rate.best, decimals: 2)) at best")
      ),
      ("peak memory", .text(peakByteCount.map { "\(fixed(Double($0) / 1e6, decimals: 1)) MB" })),
    ])
  }
}

extension ModelTiming.Rate {
  fileprivate init(_ rates: [Double]) {
    let sorted = rates.sorted()
    let half = sorted.count / 2
    best = sorted[sorted.count - 1]
    median = sorted.count.isMultiple(of: 2) ? (sorted[half - 1] + sorted[half]) / 2 : sorted[half]
  }
}

/// How long batches took.
struct EmbeddingRounds {
  let warmUp: Duration
  /// At least one.
  let durations: [Duration]
}

extension VisionTransformer {
  /// Embeds the same `count` random images again and again: once to warm up, then until `duration` is over.
  ///
  /// - Throws: `usage` when images of this size are none for the model.
  func timeEmbedding(
    count: Int, sizePx: Int, pooling: Pooling, threads: Int, atLeast duration: Duration
  ) throws -> EmbeddingRounds {
    var generator = SeededGenerator(seed: 0)
    let images = (0..<count * geometry.inputChannels * sizePx * sizePx).map { _ in
      Float(generator.uniform(in: -1.7...1.7))
    }
    var vectors = [Float](repeating: 0, count: count * dimension(for: pooling))
    let clock = ContinuousClock()
    func round() throws -> Duration {
      try clock.measure {
        try images.withUnsafeBufferPointer { images in
          try vectors.withUnsafeMutableBufferPointer {
            try embed(
              images, count: count, height: sizePx, width: sizePx, into: $0, threads: threads,
              pooling: pooling)
          }
        }
      }
    }
    let warmUp = try round()
    let end = clock.now + duration
    var durations: [Duration] = []
    repeat { durations.append(try round()) } while clock.now < end
    return EmbeddingRounds(warmUp: warmUp, durations: durations)
  }
}

/// The high-water mark of this process's resident memory. That of `getrusage` would not do: it is inherited
/// from the process that started this one.
private func peakMemoryByteCount() -> Int? {
  guard let file = fopen("/proc/self/status", "r") else { return nil }
  defer { fclose(file) }
  var line: UnsafeMutablePointer<CChar>?
  var capacity = 0
  defer { free(line) }
  while getline(&line, &capacity, file) > 0, let line {
    let words = String(cString: line).split(whereSeparator: \.isWhitespace)
    if words.count == 3, words[0] == "VmHWM:", let kilobytes = Int(words[1]) { return kilobytes * 1024 }
  }
  return nil
}
