import Copenblas
import Faults

/// The three products of a dense layer, by OpenBLAS on the calling thread. All matrices are row-major without
/// padding. For given shapes a product adds in one order, so results repeat bit for bit on one machine.
enum MatrixProducts {
  /// Loads OpenBLAS, the first time; to be called before the first product.
  ///
  /// OpenBLAS would split each product over its own threads; folds already run side by side, and a fixed split keeps
  /// results the same on any number of processors, so it is told not to.
  /// - Throws: `unavailable` where the library is not installed.
  static func load() throws {
    if let loadingFault { throw loadingFault }
  }

  private static let loadingFault: Fault? = copenblas_load().map { reason in
    Fault(
      .unavailable, String(cString: copenblas_name()), "cannot be loaded: \(String(cString: reason))",
      remedy: "install OpenBLAS (on Debian: apt-get install libopenblas0)")
  }

  /// output [rows, outputs] += input [rows, inputs] x weights [outputs, inputs] transposed.
  static func forward(
    input: UnsafePointer<Float>, weights: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    rows: Int, inputs: Int, outputs: Int
  ) {
    copenblas_sgemm(
      COPENBLAS_AS_IT_IS, COPENBLAS_TRANSPOSED, Int32(rows), Int32(outputs), Int32(inputs), input, weights, 1,
      output)
  }

  /// weightGradient [outputs, inputs] = outputGradient [rows, outputs] transposed x input [rows, inputs].
  static func weightGradient(
    outputGradient: UnsafePointer<Float>, input: UnsafePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>, rows: Int, inputs: Int, outputs: Int
  ) {
    copenblas_sgemm(
      COPENBLAS_TRANSPOSED, COPENBLAS_AS_IT_IS, Int32(outputs), Int32(inputs), Int32(rows), outputGradient,
      input, 0, weightGradient)
  }

  /// inputGradient [rows, inputs] = outputGradient [rows, outputs] x weights [outputs, inputs].
  static func inputGradient(
    outputGradient: UnsafePointer<Float>, weights: UnsafePointer<Float>,
    inputGradient: UnsafeMutablePointer<Float>, rows: Int, inputs: Int, outputs: Int
  ) {
    copenblas_sgemm(
      COPENBLAS_AS_IT_IS, COPENBLAS_AS_IT_IS, Int32(rows), Int32(inputs), Int32(outputs), outputGradient,
      weights,
      0, inputGradient)
  }
}
