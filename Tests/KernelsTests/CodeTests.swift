import Kernels
import Randomness
import Testing

private let sets = instructionSets

/// A list of codes with the vectors that they were made from, all rotated.
private struct CodedList {
  let width: Int
  let centre: [Float]
  let vectors: [[Float]]
  var groups: [UInt8]

  init(width: Int, count: Int, using generator: inout SeededGenerator) {
    self.width = width
    let scale = Float(1 / Double(width).squareRoot())
    let centre = (0..<width).map { _ in Float(generator.normal()) * scale }
    vectors = (0..<count).map { _ in centre.map { $0 + Float(generator.normal()) * scale * 0.6 } }
    self.centre = centre
    groups = [UInt8](repeating: 0, count: (count + 31) / 32 * kernels_group_bytes(width))
    for (index, vector) in vectors.enumerated() { encode(vector, UInt32(1000 + index), at: index) }
  }

  mutating func encode(_ vector: [Float], _ row: UInt32, at index: Int) {
    groups.withUnsafeMutableBufferPointer { groups in
      guard let base = groups.baseAddress else { return }
      kernels_encode(width, vector, centre, row, base + index / 32 * kernels_group_bytes(width), index % 32)
    }
  }

  /// a + base + g (<x, q> + margin) in double precision.
  func bound(_ index: Int, query: [Float], base: Float, margin: Float) -> Double {
    var (square, along, added, ofCentre, ofQuery) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for i in 0..<width {
      let r = Double(vectors[index][i] - centre[i])
      let x = r > 0 ? 0.5 : -0.5
      square += r * r
      along += x * r
      added += Double(centre[i]) * r
      ofCentre += x * Double(centre[i])
      ofQuery += x * Double(query[i])
    }
    let g = along > 0 ? square / along : 0
    return added - g * ofCentre + Double(base) + g * (ofQuery + Double(margin))
  }
}

private func hits(
  _ isa: kernels_isa, _ list: CodedList, query: [Float], base: Float = 0, margin: Float = 0,
  least: Float = -.infinity, rowLimit: UInt32 = .max, wanted: [UInt64]? = nil, codes: Range<Int>
) -> [kernels_code_hit] {
  var tables = [UInt8](repeating: 0, count: 4 * list.width)
  var found = [kernels_code_hit](repeating: kernels_code_hit(), count: codes.count)
  return tables.withUnsafeMutableBufferPointer { tables in
    guard let base64 = tables.baseAddress else { return [] }
    var codeQuery = kernels_code_tables(list.width, query, base64)
    func scan(_ words: UnsafePointer<UInt64>?) -> Int {
      var search = kernels_code_search(
        base: base, margin: margin, least: least, row_limit: rowLimit, wanted: words)
      return kernels_scan_codes(
        isa, &codeQuery, &search, list.groups, codes.lowerBound, codes.upperBound, &found)
    }
    let count = wanted?.withUnsafeBufferPointer { scan($0.baseAddress) } ?? scan(nil)
    return Array(found[..<count])
  }
}

private func norm2(_ vector: [Float]) -> Double { vector.reduce(0) { $0 + Double($1) * Double($1) } }

@Suite struct CodeTests {
  @Test(arguments: [1, 3, 64, 65, 100, 384, 576, 768, 1000, 4096])
  func rotationKeepsInnerProducts(dimension: Int) {
    var generator = SeededGenerator(seed: UInt64(dimension))
    let width = kernels_code_width(dimension)
    #expect(width >= dimension && width % 64 == 0 && width < dimension + 64)
    let signs = (0..<KERNELS_ROTATION_ROUNDS * width).map { _ -> Float in generator.next() % 2 == 0 ? 1 : -1 }
    func padded() -> [Float] {
      (0..<width).map { $0 < dimension ? Float(generator.normal()) : 0 }
    }
    var (a, b) = (padded(), padded())
    let before = zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    let length = norm2(a)
    kernels_random_rotation(KERNELS_PORTABLE, width, signs, &a)
    kernels_random_rotation(KERNELS_PORTABLE, width, signs, &b)
    let after = zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    // Some fifty roundings of float32 a number.
    let tolerance = 1e-5 * max(1, length)
    #expect(abs(after - before) < tolerance)
    #expect(abs(norm2(a) - length) < tolerance)
  }

  /// The Hadamard transform by its definition's steps, in plain Swift.
  @Test(arguments: [64, 128, 192, 384, 512, 832])
  func rotationIsTheSameOnEverySetBitForBit(width: Int) {
    var generator = SeededGenerator(seed: 8)
    let signs = (0..<KERNELS_ROTATION_ROUNDS * width).map { _ -> Float in generator.next() % 2 == 0 ? 1 : -1 }
    let vector = (0..<width).map { _ in Float(generator.normal()) }
    var window = 64
    while 2 * window <= width { window *= 2 }
    let scale = Float(1 / Double(window).squareRoot())
    var expected = vector
    for round in 0..<KERNELS_ROTATION_ROUNDS {
      for place in 0..<width { expected[place] *= signs[round * width + place] }
      let start = round % 2 == 1 ? width - window : 0
      var half = 1
      while half < window {
        for place in 0..<window where place & half == 0 {
          let (a, b) = (expected[start + place], expected[start + place + half])
          expected[start + place] = a + b
          expected[start + place + half] = a - b
        }
        half *= 2
      }
      for place in 0..<window { expected[start + place] *= scale }
    }
    for isa in instructionSets {
      var x = vector
      kernels_random_rotation(isa, width, signs, &x)
      #expect(x == expected)
    }
  }

  @Test func rotationSpreadsASingleNumberOverAll() {
    let width = 384
    var generator = SeededGenerator(seed: 5)
    let signs = (0..<KERNELS_ROTATION_ROUNDS * width).map { _ -> Float in generator.next() % 2 == 0 ? 1 : -1 }
    for place in [0, 127, 128, 255, 256, 383] {
      var x = [Float](repeating: 0, count: width)
      x[place] = 1
      kernels_random_rotation(KERNELS_PORTABLE, width, signs, &x)
      // Evenly spread, each would be 0.051.
      #expect(x.allSatisfy { abs($0) < 0.25 })
      for third in 0..<3 { #expect(norm2(Array(x[third * 128..<(third + 1) * 128])) > 0.2) }
    }
  }

  @Test(arguments: [64, 384, 1024, 1088, 4096])
  func everySetGivesTheBoundOfTheFormula(width: Int) {
    var generator = SeededGenerator(seed: UInt64(width))
    let list = CodedList(width: width, count: 75, using: &generator)
    let query = (0..<width).map { _ in Float(generator.normal() / Double(width).squareRoot()) }
    // Tables are rounded to 255 steps of the widest four numbers; factors are below 4 / sqrt(width).
    var widest: Float = 0
    for i in stride(from: 0, to: width, by: 4) {
      widest = max(widest, query[i..<i + 4].reduce(0) { $0 + abs($1) })
    }
    let steps = Double(width) / 8
    let tolerance = Double(widest) / 255 * steps * 4 / Double(width).squareRoot() + 1e-4
    for isa in sets {
      for codes in [0..<75, 0..<32, 5..<6, 31..<33, 40..<75, 74..<75] {
        let found = hits(isa, list, query: query, base: 0.3, margin: 0.01, codes: codes)
        #expect(found.map(\.row) == codes.map { UInt32(1000 + $0) })
        for (hit, index) in zip(found, codes) {
          let expected = list.bound(index, query: query, base: 0.3, margin: 0.01)
          #expect(abs(Double(hit.bound) - expected) < tolerance)
        }
      }
    }
  }

  @Test func setsAgreeAndSelectTheSameCodes() {
    var generator = SeededGenerator(seed: 11)
    let list = CodedList(width: 384, count: 200, using: &generator)
    let query = (0..<384).map { _ in Float(generator.normal() * 0.05) }
    let all = hits(KERNELS_PORTABLE, list, query: query, codes: 3..<190)
    let wanted: [UInt64] = (0..<20).map { _ in generator.next() }
    func isWanted(_ row: UInt32) -> Bool {
      let word = wanted[Int(row / 64)]
      return (word >> UInt64(row % 64)) & 1 == 1
    }
    let known = all.map(\.row).filter { $0 < 1100 }
    let chosen = known.filter(isWanted)
    let middle = all.map(\.bound).sorted()[all.count / 2] + 1e-5
    for isa in sets {
      let found = hits(isa, list, query: query, codes: 3..<190)
      for (hit, reference) in zip(found, all) { #expect(abs(hit.bound - reference.bound) < 2e-6) }
      let near = hits(isa, list, query: query, least: middle, codes: 3..<190).map(\.row)
      let nearest = all.filter { $0.bound >= middle }.map(\.row)
      #expect(near == nearest)
      let filtered = hits(isa, list, query: query, rowLimit: 1100, wanted: wanted, codes: 3..<190)
      #expect(filtered.map(\.row) == chosen)
      let limited = hits(isa, list, query: query, rowLimit: 1100, codes: 3..<190)
      #expect(limited.map(\.row) == known)
    }
  }

  @Test func estimatesAreUnbiasedWithTheStatedDeviation() {
    var generator = SeededGenerator(seed: 3)
    let width = 384
    let list = CodedList(width: width, count: 4000, using: &generator)
    let query = list.centre.map { $0 * 0.8 + Float(generator.normal() * 0.02) }
    let base = zip(query, list.centre).reduce(0) { $0 + $1.0 * $1.1 }
    let distance = norm2(zip(query, list.centre).map { $0 - $1 }).squareRoot()
    var (sum, squares, deviations) = (0.0, 0.0, 0.0)
    let found = hits(KERNELS_PORTABLE, list, query: query, base: base, codes: 0..<4000)
    let raised = hits(KERNELS_PORTABLE, list, query: query, base: base, margin: 1, codes: 0..<4000)
    for (index, hit) in found.enumerated() {
      let exact = zip(query, list.vectors[index]).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      sum += Double(hit.bound) - exact
      squares += (Double(hit.bound) - exact) * (Double(hit.bound) - exact)
      // What a margin of 1 adds is the factor.
      deviations += Double(raised[index].bound - hit.bound) * distance * Double(kernels_code_deviation(width))
    }
    let deviation = (squares / 4000).squareRoot()
    #expect(abs(sum / 4000) < 4 * deviation / 4000.squareRoot())
    #expect(abs(deviation / (deviations / 4000) - 1) < 0.05)
  }

  @Test func aVectorAtTheCentreIsExact() {
    var generator = SeededGenerator(seed: 4)
    var list = CodedList(width: 64, count: 1, using: &generator)
    list.groups = [UInt8](repeating: 0, count: kernels_group_bytes(64))
    list.encode(list.centre, 7, at: 0)
    let query = (0..<64).map { _ in Float(generator.normal()) }
    for isa in sets {
      let found = hits(isa, list, query: query, base: 0.5, margin: 3, codes: 0..<1)
      #expect(found.map(\.bound) == [0.5] && found.map(\.row) == [7])
    }
  }

  @Test func placesAreThoseOfPlainSwift() {
    var generator = SeededGenerator(seed: 6)
    for count in [1, 15, 16, 17, 33, 1000] {
      let x = (0..<count).map { _ in Float(generator.next() % 50) }
      var places = [UInt32](repeating: 0, count: count)
      let found = kernels_between(x, count, 10, 20, &places)
      var expected: [UInt32] = []
      for place in 0..<count where x[place] >= 10 && x[place] < 20 { expected.append(UInt32(place)) }
      #expect(Array(places[..<found]) == expected)
      var place: UInt32 = 0
      var value: Float = 0
      kernels_largest(x, 1, count, count, &place, &value)
      #expect(value == x.max() && Int(place) == x.firstIndex(of: value))
    }
  }

  @Test(arguments: [64, 384])
  func aCopiedCodeIsTheSameCode(width: Int) {
    var generator = SeededGenerator(seed: 7)
    let list = CodedList(width: width, count: 64, using: &generator)
    let byteCount = kernels_group_bytes(width)
    var copies = [UInt8](repeating: 0, count: 2 * byteCount)
    // Every slot to another one, of the same half and of the other.
    for slot in 0..<64 {
      let target = slot * 37 % 64
      list.groups.withUnsafeBufferPointer { from in
        copies.withUnsafeMutableBufferPointer { to in
          guard let from = from.baseAddress, let to = to.baseAddress else { return }
          kernels_copy_code(
            width, from + slot / 32 * byteCount, slot % 32, to + target / 32 * byteCount, target % 32)
        }
      }
    }
    var expected = list
    expected.groups = [UInt8](repeating: 0, count: 2 * byteCount)
    for (slot, vector) in list.vectors.enumerated() {
      expected.encode(vector, UInt32(1000 + slot), at: slot * 37 % 64)
    }
    #expect(copies == expected.groups)
  }

  @Test func bestPlacesAreThoseOfASort() {
    var generator = SeededGenerator(seed: 8)
    for count in [1, 5, 16, 17, 100, 1000] {
      let x = (0..<count).map { _ in Float(generator.next() % 300) - 150 }
      let sorted = x.indices.sorted { x[$0] == x[$1] ? $0 < $1 : x[$0] > x[$1] }
      for limit in [1, 3, 16] {
        var places = [UInt32](repeating: 0, count: limit)
        let found = kernels_best(x, count, limit, &places)
        #expect(places[..<found].map { Int($0) } == Array(sorted.prefix(limit)))
      }
    }
  }

  @Test func theSecondListIsThatOfTheFormula() {
    var generator = SeededGenerator(seed: 9)
    let (width, count) = (64, 20)
    let centres = (0..<count * width).map { _ in Float(generator.normal()) }
    func centre(_ list: Int) -> [Float] { Array(centres[list * width..<(list + 1) * width]) }
    let squares = (0..<count).map { Float(norm2(centre($0))) }
    for round in 0..<50 {
      let first = round % count
      let vector = centre(first).map { $0 + Float(generator.normal()) }
      let candidates = (0..<8).map { _ in UInt32(generator.next() % UInt64(count)) } + [UInt32(first)]
      let found = kernels_second_list(
        width, vector, centres, squares, UInt32(first), candidates, candidates.count, 2)
      func loss(_ list: UInt32) -> Double {
        let residue = zip(vector, centre(first)).map { $0 - $1 }
        let other = zip(vector, centre(Int(list))).map { $0 - $1 }
        let shared = zip(residue, other).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        return norm2(other) + 2 * shared * shared / norm2(residue)
      }
      let least = candidates.filter { $0 != first }.map(loss).min() ?? 0
      // Sums of float32 may swap lists whose losses are nearly equal.
      #expect(found != first && loss(found) <= least * (1 + 1e-5))
    }
    #expect(kernels_second_list(width, centre(3), centres, squares, 3, [3], 1, 2) == 3)
    #expect(kernels_second_list(width, centre(3), centres, squares, 3, [3, 4], 2, 2) == 4)
  }
}
