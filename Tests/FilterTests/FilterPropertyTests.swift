import Faults
import Filter
import Randomness
import Storage
import Testing

/// A random expression as text, together with its meaning in three-valued logic (nil is unknown).
private struct RandomFilter {
  let text: String
  let truth: ([String: FieldValue]) -> Bool?

  init(depth: Int, using generator: inout SeededGenerator) {
    guard depth > 0, generator.next() % 4 != 0 else {
      self = Self.predicate(using: &generator)
      return
    }
    let left = RandomFilter(depth: depth - 1, using: &generator)
    switch generator.next() % 3 {
    case 0:
      self.init(text: "NOT (\(left.text))") { left.truth($0).map { !$0 } }
    case 1:
      let right = RandomFilter(depth: depth - 1, using: &generator)
      self.init(text: "(\(left.text)) and (\(right.text))") { cell in
        switch (left.truth(cell), right.truth(cell)) {
        case (false, _), (_, false): false
        case (true, true): true
        default: nil
        }
      }
    default:
      let right = RandomFilter(depth: depth - 1, using: &generator)
      self.init(text: "(\(left.text)) OR (\(right.text))") { cell in
        switch (left.truth(cell), right.truth(cell)) {
        case (true, _), (_, true): true
        case (false, false): false
        default: nil
        }
      }
    }
  }

  private init(text: String, truth: @escaping ([String: FieldValue]) -> Bool?) {
    self.text = text
    self.truth = truth
  }

  private static func predicate(using generator: inout SeededGenerator) -> RandomFilter {
    let word = words.randomElement(using: &generator)!
    let other = words.randomElement(using: &generator)!
    let number = Double(generator.next() % 7) - 3
    let limit = number + Double(generator.next() % 4) - 1
    let negated = generator.next() % 2 == 0
    let not = negated ? "NOT " : ""

    func onText(_ text: String, _ test: @escaping (String) -> Bool) -> RandomFilter {
      RandomFilter(text: text) { cell in if case .string(let own) = cell["gene"] { test(own) } else { nil } }
    }
    func onNumber(_ text: String, _ test: @escaping (Double) -> Bool) -> RandomFilter {
      RandomFilter(text: text) { cell in if case .number(let own) = cell["dose"] { test(own) } else { nil } }
    }
    func onList(_ text: String, _ test: @escaping ([String]) -> Bool) -> RandomFilter {
      RandomFilter(text: text) { cell in if case .list(let own) = cell["label"] { test(own) } else { nil } }
    }
    let field = ["gene", "dose", "label"].randomElement(using: &generator)!
    switch generator.next() % 14 {
    case 0: return onText("gene = '\(word)'") { $0 == word }
    case 1: return onText("gene != '\(word)'") { $0 != word }
    case 2: return onText("gene \(not)IN ('\(word)','\(other)')") { ($0 == word || $0 == other) != negated }
    case 3: return onNumber("dose < \(number)") { $0 < number }
    case 4: return onNumber("dose <= \(number)") { $0 <= number }
    case 5: return onNumber("dose > \(number)") { $0 > number }
    case 6: return onNumber("dose >= \(number)") { $0 >= number }
    case 7: return onNumber("dose <> \(number)") { $0 != number }
    case 8:
      return onNumber("dose \(not)BETWEEN \(number) AND \(limit)") {
        (number <= $0 && $0 <= limit) != negated
      }
    case 9: return onList("label \(not)HAS '\(word)'") { $0.contains(word) != negated }
    case 10:
      return onList("label \(not)HAS ANY ('\(word)', '\(other)')") {
        ($0.contains(word) || $0.contains(other)) != negated
      }
    case 11:
      return onList("label \(not)HAS ALL ('\(word)', '\(other)')") {
        ($0.contains(word) && $0.contains(other)) != negated
      }
    case 12:
      return onNumber("dose \(not)IN (\(limit), \(number), 99)") { ($0 == number || $0 == limit) != negated }
    default: return RandomFilter(text: "\(field) IS \(not)NULL") { ($0[field] == nil) != negated }
    }
  }
}

private let words = ["TP53", "SON", "ACTB"]

private func randomCell(using generator: inout SeededGenerator) -> [String: FieldValue] {
  var cell: [String: FieldValue] = [:]
  if generator.next() % 3 != 0 { cell["gene"] = .string(words.randomElement(using: &generator)!) }
  if generator.next() % 3 != 0 { cell["dose"] = .number(Double(generator.next() % 7) - 3) }
  if generator.next() % 3 != 0 {
    cell["label"] = .list(words.filter { _ in generator.next() % 2 == 0 } + ["other"])
  }
  return cell
}

@Suite struct FilterPropertyTests {
  @Test func randomExpressionsEqualBruteForce() throws {
    var generator = SeededGenerator(seed: 42)
    for _ in 0..<20 {
      let cells = (0..<24).map { _ in randomCell(using: &generator) }
      let index = MemoryIndex(["gene": .string, "dose": .number, "label": .list], cells: cells)
      for _ in 0..<25 {
        let filter = RandomFilter(depth: 4, using: &generator)
        let expected = cells.indices.filter { filter.truth(cells[$0]) == true }.map { Row($0) }
        #expect(try Filter(filter.text).rows(in: index).toArray() == expected, "\(filter.text)")
      }
    }
  }

  @Test func mutatedFiltersAreReadOrRefusedButNeverCrash() {
    var generator = SeededGenerator(seed: 9)
    let index = MemoryIndex(["gene": .string, "dose": .number, "label": .list], cells: [[:]])
    let pieces = Array("()'\",=<>!. -+e0xé\u{301}") + ["N", "O", "T"]
    for _ in 0..<1000 {
      var text = Array(RandomFilter(depth: 2, using: &generator).text)
      for _ in 0..<Int.random(in: 1...3, using: &generator) where !text.isEmpty {
        let place = Int.random(in: 0..<text.count, using: &generator)
        if generator.next() % 2 == 0 {
          text.remove(at: place)
        } else {
          text.insert(pieces.randomElement(using: &generator)!, at: place)
        }
      }
      do {
        _ = try Filter(String(text)).rows(in: index)
      } catch {
        #expect((error as? Fault)?.kind == .usage)
      }
    }
  }
}
