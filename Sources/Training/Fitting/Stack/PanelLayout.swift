import Kernels

/// How matrices lie for the products of training; see `kernels_matmul.h` for panels.
///
/// A batch is cut into units of 64 samples, and a layer's inputs into units of 64: what a thread takes at a
/// time. The cuts do not depend on the number of threads, and neither do sums over them.
struct PanelLayout: Sendable {
  static let unit = 64

  let isa: kernels_isa
  let number: kernels_number
  /// Outputs of a panel: 8, 16 or 32.
  let panelWidth: Int
  /// Numbers in a word: 1 or 2.
  let numbersPerWord: Int

  init(precision: TrainingPrecision, isa: kernels_isa = kernels_active_isa()) {
    self.isa = isa
    number = precision.number
    panelWidth = kernels_panel_columns(isa)
    numbersPerWord = kernels_numbers_per_word(number)
  }

  /// Samples of a batch with those of zeros that fill its last panel.
  func padded(_ rows: Int) -> Int { rows.rounded(upTo: step) }

  /// Samples that are computed together at least.
  var step: Int { max(panelWidth, TRAINING_LANES) }

  /// Words of `count` numbers.
  func words(_ count: Int) -> Int { (count + numbersPerWord - 1) / numbersPerWord }

  func panelCount(_ outputs: Int) -> Int { (outputs + panelWidth - 1) / panelWidth }

  /// Words of all panels of a product.
  func panelWords(inputs: Int, outputs: Int) -> Int { panelCount(outputs) * panelWidth * words(inputs) }

  /// out [rows, outputs] = x [rows, inputs] times panels transposed; rows of x lie `stride` numbers apart,
  /// those of out `outStride` floats. Meanwhile memory is asked for: `ahead`.
  func multiply(
    _ x: UnsafeRawPointer, stride: Int, rows: Int, panels: UnsafeRawPointer, inputs: Int, outputs: Int,
    into out: UnsafeMutablePointer<Float>, outStride: Int, ahead: UnsafeMutablePointer<kernels_ahead>? = nil
  ) {
    var product = kernels_product()
    product.number = number
    product.inputs = inputs
    product.outputs = outputs
    product.panels = panels
    kernels_matmul_ahead(
      isa, &product, x, stride * 4 / numbersPerWord, rows, out, outStride * 4, ahead)
  }

  /// At how many turns such a product asks for memory.
  func turns(rows: Int, inputs: Int, outputs: Int) -> Int {
    kernels_matmul_turns(isa, number, inputs, outputs, rows)
  }

  /// The same product, summed over some of the inputs: `parts`, of which there is one at least, in their order. Where
  /// numbers share a word, those beside the ends of a part are summed too.
  func multiply(
    _ x: UnsafeRawPointer, stride: Int, rows: Int, panels: UnsafePointer<UInt32>, inputs: Int,
    parts: [Range<Int>], outputs: Int, into out: UnsafeMutablePointer<Float>, outStride: Int
  ) {
    var product = kernels_product()
    product.number = number
    let panelWords = panelWidth * words(inputs)
    for (panel, output) in Swift.stride(from: 0, to: outputs, by: panelWidth).enumerated() {
      product.outputs = min(panelWidth, outputs - output)
      for (index, part) in parts.enumerated() {
        let first = part.lowerBound / numbersPerWord
        product.inputs = (words(part.upperBound) - first) * numbersPerWord
        product.panels = UnsafeRawPointer(panels + panel * panelWords + first * panelWidth)
        kernels_matmul(
          isa, &product, x + first * 4, stride * 4 / numbersPerWord, rows, nil,
          index == 0 ? KERNELS_STORE : KERNELS_RESIDUAL, KERNELS_F32, out + output, outStride * 4)
      }
    }
  }

  /// Writes floats as the numbers that are multiplied, from number `offset` of `target` on.
  func write(
    _ values: UnsafePointer<Float>, count: Int, to target: UnsafeMutableRawPointer, at offset: Int
  ) {
    if number == KERNELS_BF16 {
      kernels_round_bf16(
        isa, count, values, target.assumingMemoryBound(to: UInt16.self) + offset)
    } else {
      (target.assumingMemoryBound(to: Float.self) + offset).update(from: values, count: count)
    }
  }
}

extension Int {
  /// The least multiple of `step` that is not below this.
  func rounded(upTo step: Int) -> Int { (self + step - 1) / step * step }
}

/// Zeroed memory that C kernels work on in place, on a boundary of 64 bytes; freed with its owner.
final class WordBuffer {
  let start: UnsafeMutablePointer<UInt32>
  let count: Int

  init(count: Int) {
    self.count = count
    let bytes = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * 4, alignment: 64)
    start = bytes.bindMemory(to: UInt32.self, capacity: count)
    start.initialize(repeating: 0, count: count)
  }

  deinit { start.deallocate() }

  /// The same memory as floats.
  var floats: UnsafeMutablePointer<Float> {
    UnsafeMutableRawPointer(start).assumingMemoryBound(to: Float.self)
  }
  /// The same memory as bfloat16.
  var halves: UnsafeMutablePointer<UInt16> {
    UnsafeMutableRawPointer(start).assumingMemoryBound(to: UInt16.self)
  }
}

/// Packing for two products of the same matrix: one sums over its columns, the other over its rows.
extension PanelLayout {
  /// Packs rows as outputs of a product that sums over their numbers.
  ///
  /// - Parameters:
  ///   - x: [rows, stride words], the numbers that are multiplied, zero beyond the last.
  ///   - words: of a row.
  ///   - panels: whose rows of words begin at word `firstWord` of `panelWordCount`.
  func packRows(
    _ x: UnsafePointer<UInt32>, stride: Int, rows: Int, words: Int, firstWord: Int = 0, panelWordCount: Int,
    into panels: UnsafeMutablePointer<UInt32>
  ) {
    for (panel, row) in Swift.stride(from: 0, to: rows, by: panelWidth).enumerated() {
      training_transpose(
        x + row * stride, stride, min(panelWidth, rows - row), words,
        panels + (panel * panelWordCount + firstWord) * panelWidth, panelWidth)
    }
  }

  /// Packs columns as outputs of a product that sums over rows.
  ///
  /// - Parameters:
  ///   - x: [rows, stride words]; of bfloat16, what lies behind an odd last row must be a row of zeros.
  ///   - columns: of a row; what the last panel has beyond them stays as it is.
  func packColumns(
    _ x: UnsafePointer<UInt32>, stride: Int, rows: Int, columns: Int, firstWord: Int = 0, panelWordCount: Int,
    into panels: UnsafeMutablePointer<UInt32>
  ) {
    let target = panels + firstWord * panelWidth
    if number == KERNELS_BF16 {
      training_pack_pairs(
        UnsafeRawPointer(x).assumingMemoryBound(to: UInt16.self), 2 * stride, words(rows), columns,
        panelWidth,
        target, panelWordCount)
    } else {
      training_pack_columns(x, stride, rows, columns, panelWidth, target, panelWordCount)
    }
  }
}
