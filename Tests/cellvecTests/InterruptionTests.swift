import Testing

@testable import cellvec

@Suite struct InterruptionTests {
  @Test func whatIsLeftOfInterruptedWorkIsSaid() {
    #expect(Interruption.Remains.part.remedy.contains("run the same command to go on"))
    #expect(Interruption.Remains.nothing.remedy.contains("nothing was saved"))
    // Where the figures of a saved evaluation were being drawn, hours of training are not lost.
    let remedy = Interruption.Remains.evaluation(path: "eval.json").remedy
    #expect(remedy == "the evaluation is saved; cellvec report eval.json draws it")
  }
}
