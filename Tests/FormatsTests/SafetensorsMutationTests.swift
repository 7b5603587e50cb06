import Faults
import Formats
import TestSupport
import Testing

@Suite struct SafetensorsMutationTests {
  /// The reader is total: whatever happens to a file, it is read or refused with a fault.
  @Test func aDamagedFileIsReadOrRefused() throws {
    let original = SafetensorsFile.encode(
      tensors: [
        (name: "weight", shape: [2, 3], values: [1, 2, 3, 4, 5, 6]),
        (name: "bias", shape: [2], values: [7, 8]),
      ],
      metadata: ["inputs": "nucleus,protein"])
    var state: UInt64 = 20_260_101
    func random(below bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(bound))
    }
    var refused = 0
    for _ in 0..<1000 {
      var bytes = original
      for _ in 0...random(below: 3) {
        switch random(below: 4) {
        case 0: bytes[random(below: bytes.count)] = UInt8(random(below: 256))
        case 1: bytes[random(below: bytes.count)] ^= 1 << UInt8(random(below: 8))
        case 2: bytes.removeLast(random(below: bytes.count))
        // Digits of shapes and offsets are where damage is most likely to look sound.
        default:
          let digits = bytes.indices.filter { (48...57).contains(bytes[$0]) }
          if !digits.isEmpty { bytes[digits[random(below: digits.count)]] = UInt8(48 + random(below: 10)) }
        }
      }
      do {
        let file = try SafetensorsFile(bytes: bytes, name: "damaged")
        for name in file.tensorNames {
          #expect(try file.floats(of: name).count == file.shape(of: name)?.reduce(1, *))
        }
      } catch is Fault {
        refused += 1
      }
    }
    #expect(refused > 500)
  }
}
