import Faults
import Formats
import TestSupport
import Testing

@Suite struct PyTorchDamageTests {
  private static let fixtures = ["state-dict", "training", "training-legacy", "views", "types", "protocol4"]

  private func fixture(_ name: String) throws -> [UInt8] {
    try #require(bytes(ofFile: fixturePath("formats/pytorch/\(name).pth")))
  }

  /// Whether the bytes are refused; read, every tensor must have the values that its shape promises, and together
  /// no more than twice the file's bytes.
  private func isRefused(_ bytes: [UInt8]) throws -> Bool {
    do {
      let file = try PyTorchFile(bytes: bytes, name: "damaged")
      var count = 0
      for name in file.tensorNames {
        guard let values = try? file.floats(of: name) else { continue }
        count += values.count
        #expect(values.count == file.shape(of: name)?.reduce(1, *))
      }
      #expect(count <= 2 * bytes.count)
      return false
    } catch let fault as Fault {
      #expect(fault.subject.hasPrefix("damaged"))
      return true
    }
  }

  @Test(arguments: fixtures)
  func everyTruncationIsAFault(name: String) throws {
    let bytes = try fixture(name)
    for count in stride(from: 0, to: bytes.count, by: bytes.count > 4_000 ? 7 : 3) {
      #expect(try isRefused(Array(bytes[..<count])), "\(count) bytes")
    }
    #expect(try isRefused(Array(bytes.dropLast())))
    #expect(try !isRefused(bytes))
  }

  @Test(arguments: fixtures)
  func aDamagedFileIsReadOrRefused(name: String) throws {
    let original = try fixture(name)
    var state: UInt64 = 20_260_102
    func random(below bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(bound))
    }
    var refused = 0
    for _ in 0..<500 {
      var bytes = original
      for _ in 0...random(below: 3) {
        let place = random(below: bytes.count)
        switch random(below: 4) {
        case 0: bytes[place] = UInt8(random(below: 256))
        case 1: bytes[place] ^= 1 << UInt8(random(below: 8))
        case 2: bytes[place] = [0, 255, 127, 128][random(below: 4)]
        default: bytes.removeSubrange(place..<min(bytes.count, place + random(below: 9)))
        }
      }
      if try isRefused(bytes) { refused += 1 }
    }
    #expect(refused > 100)
  }

  /// Inputs with which the fuzzer (tools/fuzz) has found defects or reached places of their own.
  @Test func theFuzzersFindingsAreReadOrRefused() throws {
    for name in try filesIn(fixturePath("formats/corpus")) {
      let input = try #require(bytes(ofFile: fixturePath("formats/corpus/\(name)")))
      do {
        let file = try openTensorFile(bytes: input, name: name)
        for tensor in file.tensorNames { _ = try? file.floats(of: tensor) }
      } catch {
        #expect(error is Fault, "\(name)")
      }
    }
  }

  @Test func nothingOfAMaliciousPickleIsRun() throws {
    let file = try PyTorchFile(path: fixturePath("formats/pytorch/malicious.pth"))
    #expect(file.tensorNames == ["weight"])
    #expect(bytes(ofFile: "malicious-pickle-was-run") == nil)
  }
}
