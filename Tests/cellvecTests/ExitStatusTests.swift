import Faults
import Testing

@testable import cellvec

@Suite struct ExitStatusTests {
  @Test func everyFaultHasTheStatusThatIsDocumented() {
    let documented: [Fault.Kind: Int32] = [
      .usage: 64, .badData: 65, .missingInput: 66, .unavailable: 69, .cannotCreate: 73, .inputOutput: 74,
      .locked: 75, .cancelled: 130,
    ]
    for kind in Fault.Kind.allCases {
      #expect(ExitStatus(kind).rawValue == documented[kind])
    }
    #expect(ExitStatus.done.rawValue == 0)
    #expect(ExitStatus.failed.rawValue == 1)
    #expect(ExitStatus.someInputsFailed.rawValue == 2)
  }
}
