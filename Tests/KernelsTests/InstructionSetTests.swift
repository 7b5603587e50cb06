import Kernels
import Testing

@Suite struct InstructionSetTests {
  private let names = ["portable", "avx2", "avx512", "avx512-vnni", "avx512-bf16", "amx"]

  private func found(_ name: String, upTo best: kernels_isa) -> kernels_isa? {
    var isa = KERNELS_PORTABLE
    return kernels_find_isa(name, best, &isa) ? isa : nil
  }

  @Test func setsUpToTheBestAreFoundByName() {
    for best in names.indices {
      for (index, name) in names.enumerated() {
        let set = kernels_isa(UInt32(index))
        #expect(found(name, upTo: kernels_isa(UInt32(best))) == (index <= best ? set : nil))
        #expect(String(cString: kernels_isa_name(set)) == name)
      }
    }
  }

  @Test(arguments: ["", "AVX2", "avx", "avx2 ", "avx512-amx", "best"])
  func otherNamesAreNot(name: String) {
    #expect(found(name, upTo: KERNELS_AMX) == nil)
  }

  @Test func theActiveSetIsOneThatTheMachineRuns() {
    #expect(kernels_active_isa().rawValue <= kernels_best_isa().rawValue)
  }
}
