import Faults
import Formats
import Testing

/// Headers as only a damaged or hostile file has them.
@Suite struct SafetensorsHeaderTests {
  private func open(_ header: String, payload: Int = 0) throws -> SafetensorsFile {
    let text = Array(header.utf8)
    let length = (0..<8).map { UInt8(text.count >> (8 * $0) & 255) }
    return try SafetensorsFile(bytes: length + text + [UInt8](repeating: 0, count: payload), name: "w")
  }

  private let tensor = #"{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#

  @Test func whatStandsTwiceIsRefused() {
    for header in [
      "{\"a\":\(tensor),\"a\":\(tensor)}", "{\"\\u0061\":\(tensor),\"a\":\(tensor)}",
      #"{"__metadata__":{"k":"1","k":"2"}}"#, #"{"__metadata__":{},"__metadata__":{}}"#,
      #"{"a":{"dtype":"F32","dtype":"F64","shape":[1],"data_offsets":[0,4]}}"#,
    ] {
      let fault = #expect(throws: Fault.self) { try open(header, payload: 4) }
      #expect(fault?.problem.contains("twice") == true || fault?.problem.contains("each once") == true)
    }
  }

  @Test(
    arguments: [
      (#"{"a":{"dtype":"F32","shape":[1]}}"#, "lacks its dtype, shape or data_offsets"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}}"#, "found more"),
      (#"{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#, "expected ] at byte"),
      (#"{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}}"#, "of 64 bits"),
      (#"{"a":{"dtype":"F32","shape":[0,4611686018427387904,2],"data_offsets":[0,0]}}"#, "impossible shape"),
      (#"{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4,8]}}"#, "at most 2 numbers"),
      ("{} x", "the end of the header"), (#"{"a" 1}"#, "expected : at byte"),
      (#"{"\ud83d":1}"#, "a pair of surrogates"), (#"{"\ud83dx"#, "a pair of surrogates"),
      (#"{"\udca7":1}"#, "a pair of surrogates"), (#"{"\u12"#, "four hexadecimal digits"),
      (#"{"\x":1}"#, "an escaped character"), ("{\"a\nb\":1}", "no control characters"),
      (#"{"a"#, "the end of a text"), ("{,}", "expected \" at byte"),
    ])
  func whatIsNotAHeaderIsToldByItsPlace(header: String, says: String) {
    let fault = #expect(throws: Fault.self) { try open(header, payload: 4) }
    #expect(fault?.kind == .badData)
    #expect(fault?.problem.contains(says) == true, "\(fault?.description ?? "none")")
  }

  @Test func escapesAndSpacesAreRead() throws {
    let file = try open(
      "{ \"\\ud83e\\uddec\\u00b5\\n\\/\" :\n" + tensor + "\t, \"__metadata__\" : { \"k\" : \"\\\"\\\\\" } }",
      payload: 4)
    #expect(file.tensorNames == ["🧬µ\n/"])
    #expect(file.metadata == ["k": "\"\\"])
  }

  @Test func nestingCostsNothing() {
    for header in [
      "{\"a\":" + String(repeating: "[", count: 1_000_000), String(repeating: "{\"a\":", count: 200_000),
      #"{"a":{"dtype":"F32","shape":["# + String(repeating: "[", count: 1_000_000),
    ] {
      let fault = #expect(throws: Fault.self) { try open(header) }
      #expect(fault?.kind == .badData)
    }
  }

  @Test func theRankIsBounded() {
    let ones = Array(repeating: "1", count: 65).joined(separator: ",")
    let fault = #expect(throws: Fault.self) {
      try open("{\"a\":{\"dtype\":\"U8\",\"shape\":[\(ones)],\"data_offsets\":[0,1]}}", payload: 1)
    }
    #expect(fault?.problem.contains("at most 64 numbers") == true)
  }

  @Test func aFaultStaysOneLineWhateverTheNames() {
    let name = String(repeating: "a\\n", count: 10_000)
    for header in [
      "{\"\(name)\":{\"dtype\":\"\(name)\",\"shape\":[],\"data_offsets\":[0,1]}}",
      "{\"\(name)\":{\"\(name)\":1}}",
    ] {
      let fault = #expect(throws: Fault.self) { try open(header, payload: 1) }
      #expect(fault?.description.contains("\n") == false)
      #expect((fault?.description.count ?? .max) < 400)
    }
  }
}
