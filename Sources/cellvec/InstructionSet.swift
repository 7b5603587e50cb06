import Faults
import Kernels

/// The wish for an instruction set that kernels are to run on, from the environment.
enum InstructionSet {
  static let variable = "CELLVEC_ISA"

  /// - Throws: `usage` when the environment names a set that is none or that this machine does not run.
  static func check() throws {
    guard let refused = kernels_refused_isa() else { return }
    let names = (0...kernels_best_isa().rawValue).map { String(cString: kernels_isa_name(kernels_isa($0))) }
    throw Fault(
      .usage, variable, expected: "an instruction set of this machine (\(names.joined(separator: ", ")))",
      found: "\"\(String(cString: refused))\"", remedy: "unset it to use the best")
  }
}
