import Kernels

/// What searches need of the centres of an index's lists.
protocol ScoredCentres: AnyObject, Sendable {
  var count: Int { get }

  /// Numbers of a row of scores; those behind `count` mean nothing.
  var scoreStride: Int { get }

  /// <v, c> - |c|^2 / 2 of each vector v and centre c, the larger the nearer: |v - c|^2 = |v|^2 - 2 score.
  /// - Parameters:
  ///   - vectors: [rows, width], rotated.
  ///   - scores: [rows, scoreStride].
  func score(
    _ vectors: UnsafePointer<Float>, rows: Int, into scores: UnsafeMutablePointer<Float>,
    _ scratch: CentreTable.Scratch)

  /// The inner product of a vector with a centre, as far as the score tells it.
  func innerProduct(with centre: Int, score: Float) -> Float
}

/// The centres of an index's lists, in 8 bits too, ready to be compared with many vectors at once.
///
/// Shared between threads: nothing changes after `init`.
final class CentreTable: ScoredCentres, @unchecked Sendable {
  /// Numbers of a centre.
  let width: Int
  let count: Int
  /// [count, width], rotated; lives as long as the table.
  let values: UnsafePointer<Float>
  let scoreStride: Int

  /// The square of each centre's length; lives as long as the table.
  let squares: UnsafePointer<Float>

  /// Half of the squares, below 0.
  private let bias: UnsafeMutablePointer<Float>
  private let bytes: CentreBytes

  init(_ values: [Float], width: Int) {
    let count = values.count / width
    let copy = UnsafeMutablePointer<Float>.allocate(capacity: max(1, values.count))
    copy.initialize(from: values, count: values.count)
    self.values = UnsafePointer(copy)
    self.width = width
    self.count = count
    scoreStride = CentreBytes.columns(count)
    bias = .allocate(capacity: scoreStride)
    bias.initialize(repeating: 0, count: scoreStride)
    let squares = UnsafeMutablePointer<Float>.allocate(capacity: max(1, count))
    for centre in 0..<count {
      squares[centre] = kernels_inner_product(width, copy + centre * width, copy + centre * width)
      bias[centre] = -squares[centre] / 2
    }
    self.squares = UnsafePointer(squares)
    bytes = CentreBytes(self.values, count: count, width: width)
  }

  deinit {
    values.deallocate()
    squares.deallocate()
    bias.deallocate()
  }

  func innerProduct(with centre: Int, score: Float) -> Float { score - bias[centre] }

  /// Memory that scoring needs besides its results; one for each thread.
  final class Scratch {
    fileprivate var numbers: [UInt8] = []
    fileprivate var steps: [kernels_step] = []
  }

  /// In 8 bits, to within some thousandths of the vectors' lengths.
  func score(
    _ vectors: UnsafePointer<Float>, rows: Int, into scores: UnsafeMutablePointer<Float>, _ scratch: Scratch
  ) {
    bytes.score(vectors, rows: rows, bias: bias, into: scores, scratch)
  }
}

/// Centres in 8 bits, packed for products with many vectors.
private final class CentreBytes {
  private let isa = kernels_active_isa()

  private let count: Int
  private let width: Int
  private let panels: UnsafeMutableRawPointer
  /// What one step of a centre's number stands for, and the sum of its numbers in steps.
  private let scale: UnsafeMutablePointer<Float>
  private let sums: UnsafeMutablePointer<Int32>

  /// Centres up to the end of the last panel.
  static func columns(_ count: Int) -> Int {
    let isa = kernels_active_isa()
    return kernels_panels(isa, count) * kernels_panel_columns(isa)
  }

  init(_ values: UnsafePointer<Float>, count: Int, width: Int) {
    self.count = count
    self.width = width
    let columns = Self.columns(count)
    panels = .allocate(byteCount: kernels_panel_bytes(isa, KERNELS_I8, width, count), alignment: 64)
    scale = .allocate(capacity: columns)
    sums = .allocate(capacity: columns)
    scale.initialize(repeating: 0, count: columns)
    sums.initialize(repeating: 0, count: columns)
    for centre in 0..<count {
      let numbers = UnsafeBufferPointer(start: values + centre * width, count: width)
      var largest: Float = 0
      for number in numbers { largest = max(largest, abs(number)) }
      scale[centre] = largest / 127
      let inverse = largest > 0 ? 1 / scale[centre] : 0
      for number in numbers {
        sums[centre] += Int32(max(-127, min(127, (number * inverse).rounded(.toNearestOrEven))))
      }
    }
    kernels_pack(isa, KERNELS_I8, values, width, width, count, scale, panels)
  }

  deinit {
    panels.deallocate()
    scale.deallocate()
    sums.deallocate()
  }

  func score(
    _ vectors: UnsafePointer<Float>, rows: Int, bias: UnsafePointer<Float>,
    into scores: UnsafeMutablePointer<Float>, _ scratch: CentreTable.Scratch
  ) {
    if scratch.steps.count < rows {
      scratch.numbers = [UInt8](repeating: 0, count: rows * width)
      scratch.steps = [kernels_step](repeating: kernels_step(), count: rows)
    }
    kernels_quantize(
      isa, KERNELS_F32, rows, width, vectors, width * 4, &scratch.numbers, width, &scratch.steps)
    var product = kernels_product()
    product.number = KERNELS_I8
    product.inputs = width
    product.outputs = count
    product.panels = UnsafeRawPointer(panels)
    product.bias = bias
    product.scale = UnsafePointer(scale)
    product.sums = UnsafePointer(sums)
    kernels_matmul(
      isa, &product, scratch.numbers, width, rows, scratch.steps, KERNELS_STORE, KERNELS_F32, scores,
      Self.columns(count) * 4)
  }
}
