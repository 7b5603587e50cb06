import Copenblas

/// The three products of a dense layer, by OpenBLAS on the calling thread. All matrices are row-major without
/// padding. For given shapes a product adds in one order, so results repeat bit for bit on one machine.
enum MatrixProducts {
  /// OpenBLAS would split each product over its own threads; folds already run side by side, and a fixed
  /// split keeps results the same on any number of processors. The setting belongs to the process: read this
  /// before the first product, and it is made once, while no product runs.
  static let useCallingThread: Void = openblas_set_num_threads(1)

  /// output [rows, outputs] += input [rows, inputs] x weights [outputs, inputs] transposed.
  static func forward(
    input: UnsafePointer<Float>, weights: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    rows: Int, inputs: Int, outputs: Int
  ) {
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, Int32(rows), Int32(outputs), Int32(inputs), 1, input,
      Int32(inputs), weights, Int32(inputs), 1, output, Int32(outputs))
  }

  /// weightGradient [outputs, inputs] = outputGradient [rows, outputs] transposed x input [rows, inputs].
  static func weightGradient(
    outputGradient: UnsafePointer<Float>, input: UnsafePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>, rows: Int, inputs: Int, outputs: Int
  ) {
    cblas_sgemm(
      CblasRowMajor, CblasTrans, CblasNoTrans, Int32(outputs), Int32(inputs), Int32(rows), 1, outputGradient,
      Int32(outputs), input, Int32(inputs), 0, weightGradient, Int32(inputs))
  }

  /// inputGradient [rows, inputs] = outputGradient [rows, outputs] x weights [outputs, inputs].
  static func inputGradient(
    outputGradient: UnsafePointer<Float>, weights: UnsafePointer<Float>,
    inputGradient: UnsafeMutablePointer<Float>, rows: Int, inputs: Int, outputs: Int
  ) {
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(rows), Int32(inputs), Int32(outputs), 1,
      outputGradient, Int32(outputs), weights, Int32(inputs), 0, inputGradient, Int32(inputs))
  }
}
