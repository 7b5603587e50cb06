import Kernels

/// The vectors of a batch, standardised and packed for two products: those of a unit of samples of weights with
/// vectors, those of all of gradients with vectors.
final class BatchPanels {
  let layout: PanelLayout
  let dimension: Int
  /// [dimension / panel][words of a batch][panel]
  private let dimensions: WordBuffer

  /// - Parameter capacity: samples of the largest batch for which gradients are asked.
  init(layout: PanelLayout, dimension: Int, capacity: Int) {
    self.layout = layout
    self.dimension = dimension
    dimensions = WordBuffer(count: layout.panelWords(inputs: layout.padded(capacity), outputs: dimension))
  }

  /// Panels of the dimensions from `index` on, as outputs, over the `rows` of a batch.
  func dimensions(from index: Int, rows: Int) -> UnsafePointer<UInt32> {
    UnsafePointer(dimensions.start + index * layout.words(rows))
  }

  /// How many pieces `forEachPiece` has.
  var pieceCount: Int { layout.panelCount(dimension) }

  /// Calls `body` with what `pack` writes of a unit for gradients, piece by piece.
  func forEachPiece(
    rows: Int, firstRow: Int, batchRows: Int, _ body: (UnsafeRawBufferPointer) -> Void
  ) {
    let (width, words) = (layout.panelWidth, layout.words(batchRows))
    for panel in 0..<pieceCount {
      let start = dimensions.start + width * (panel * words + layout.words(firstRow))
      body(UnsafeRawBufferPointer(start: start, count: 4 * width * layout.words(rows)))
    }
  }

  /// Packs a unit's vectors; those for products of weights into the scratch memory.
  ///
  /// - Parameters:
  ///   - samples: at most a unit of them; zeros take the place of the `rows - samples.count` that lack.
  ///   - firstRow: the unit's first row in its batch, of `batchRows`, both padded.
  ///   - isLearned: whether a gradient will be asked for.
  func pack(
    _ samples: ArraySlice<Int32>, rows: Int, firstRow: Int, batchRows: Int, isLearned: Bool,
    from source: some SampleVectors, standardization: Standardization, scratch: VectorScratch
  ) {
    if layout.number == KERNELS_F32 {
      scratch.withVectors(of: samples, from: source) { vectors in
        training_pack_vectors(
          vectors, samples.count, rows, dimension, standardization.mean, standardization.scale,
          layout.panelWidth, scratch.panels.floats, isLearned ? dimensions.floats : nil, firstRow, batchRows)
      }
      return
    }
    let values = scratch.values.floats
    source.gather(samples, into: UnsafeMutableBufferPointer(start: values, count: samples.count * dimension))
    // Rows of bfloat16 are whole words.
    let stride = scratch.stride
    for row in 0..<samples.count {
      training_standardize(values + row * dimension, dimension, standardization.mean, standardization.scale)
    }
    let rowWords = stride / layout.numbersPerWord
    (scratch.numbers.start + samples.count * rowWords).update(
      repeating: 0, count: (rows - samples.count) * rowWords)
    for row in 0..<samples.count {
      layout.write(values + row * dimension, count: dimension, to: scratch.numbers.start, at: row * stride)
    }
    let words = layout.words(dimension)
    layout.packRows(
      scratch.numbers.start, stride: rowWords, rows: rows, words: words, panelWordCount: words,
      into: scratch.panels.start)
    guard isLearned else { return }
    layout.packColumns(
      scratch.numbers.start, stride: rowWords, rows: rows, columns: dimension,
      firstWord: firstRow / layout.numbersPerWord, panelWordCount: layout.words(batchRows),
      into: dimensions.start)
  }
}

/// What a thread needs to pack a unit of vectors, and the panels that it multiplies while they are in its cache.
final class VectorScratch {
  private let layout: PanelLayout
  private let dimension: Int
  /// Numbers of a row.
  let stride: Int
  /// [unit, dimension]
  let values: WordBuffer
  /// [unit, stride] numbers that are multiplied; none for float32, which needs no rounding
  let numbers: WordBuffer
  /// [unit / panel][words of a vector][panel]
  fileprivate let panels: WordBuffer

  init(layout: PanelLayout, dimension: Int) {
    self.layout = layout
    self.dimension = dimension
    panels = WordBuffer(count: layout.panelWords(inputs: dimension, outputs: PanelLayout.unit))
    stride = dimension.rounded(upTo: 2)
    values = WordBuffer(count: PanelLayout.unit * dimension)
    numbers = WordBuffer(
      count: layout.number == KERNELS_F32 ? 0 : PanelLayout.unit * stride / layout.numbersPerWord)
  }

  /// Calls `body` with pointers to the vectors of at most a unit of samples: to where they lie, or to copies.
  fileprivate func withVectors(
    of samples: ArraySlice<Int32>, from source: some SampleVectors,
    _ body: (UnsafePointer<UnsafePointer<Float>?>) -> Void
  ) {
    let values = UnsafePointer(self.values.floats)
    withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: PanelLayout.unit) { vectors in
      vectors.initialize(repeating: values)
      guard let start = vectors.baseAddress else { return }
      if !source.locate(samples, into: start) {
        source.gather(
          samples,
          into: UnsafeMutableBufferPointer(start: self.values.floats, count: samples.count * dimension))
        for place in 0..<samples.count { vectors[place] = values + place * dimension }
      }
      start.withMemoryRebound(to: UnsafePointer<Float>?.self, capacity: PanelLayout.unit) { body($0) }
    }
  }

  /// Panels of the unit's samples from `column` on, as outputs.
  func vectors(from column: Int) -> UnsafePointer<UInt32> {
    UnsafePointer(panels.start + column * layout.words(dimension))
  }
}
