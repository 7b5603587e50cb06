import Faults

/// Reads the object that a pickle describes, and runs nothing of it.
///
/// A pickle is a program that may name any Python function. Here it can build lists, dictionaries and
/// tensors; whatever else it names becomes a placeholder that is passed along and never called. Understood
/// are the binary operations of protocols 2 to 5, without those that refer to tables or buffers outside the
/// file.
///
/// - Complexity: O(bytes); at most `maximumWork` steps, each with some hundred bytes of memory.
/// - Source: the comments of Python's `pickletools`, and PEP 307, 3154, 574.
struct PickleMachine {
  /// Operations and copied items. A ViT-g as student and teacher with AdamW takes 85,000.
  static let maximumWork = 2_097_152
  /// Python's own pickler nests no deeper by default.
  static let maximumDepth = 1_000
  /// More than any real object leaves on the stack: writers hand over items in thousands.
  static let maximumStack = 262_144

  var heap = PickleHeap()
  private var reader: ByteReader
  private var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  private var work = 0

  var bytes: UnsafeRawBufferPointer { reader.bytes }

  private init(_ reader: ByteReader) { self.reader = reader }

  /// What one pickle has made, and where the bytes behind it begin.
  struct Result {
    let root: PickleValue
    let heap: PickleHeap
    let end: Int
  }

  /// - Throws: `badData` when the bytes are not a whole pickle, or go beyond the limits.
  static func run(_ file: UnsafeRawBufferPointer, in range: Range<Int>) throws(Fault) -> Result {
    var machine = PickleMachine(ByteReader(file, in: range))
    while true {
      try machine.charge(1)
      guard let code = machine.reader.next(UInt8.self) else { throw machine.cut() }
      // STOP
      if code == UInt8(ascii: ".") {
        let root = try machine.pop()
        return Result(root: root, heap: machine.heap, end: machine.reader.offset)
      }
      try machine.perform(code)
      guard machine.stack.count <= maximumStack else { throw machine.tooLarge() }
    }
  }

  private mutating func perform(_ code: UInt8) throws(Fault) {
    switch code {
    case 0x80: try checkProtocol()
    // FRAME: a hint for reading ahead.
    case 0x95: _ = try next(UInt64.self)
    case UInt8(ascii: "("):
      guard marks.count < Self.maximumDepth else { throw tooLarge() }
      marks.append(stack.count)
    case UInt8(ascii: "0"):
      // Without a value since the mark, it takes the mark.
      if stack.count > floor { stack.removeLast() } else { _ = try popToMark() }
    case UInt8(ascii: "1"): _ = try popToMark()
    case UInt8(ascii: "2"): stack.append(try top())
    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88: stack.append(.boolean(true))
    case 0x89: stack.append(.boolean(false))
    case UInt8(ascii: "J"): stack.append(.integer(Int(try next(Int32.self))))
    case UInt8(ascii: "K"): stack.append(.integer(Int(try next(UInt8.self))))
    case UInt8(ascii: "M"): stack.append(.integer(Int(try next(UInt16.self))))
    case 0x8A: try pushLong(byteCount: Int(try next(UInt8.self)))
    case 0x8B: try pushLong(byteCount: Int(try next(Int32.self)))
    case UInt8(ascii: "G"):
      stack.append(.float(Double(bitPattern: try next(UInt64.self).byteSwapped)))
    default:
      if try performText(code) { return }
      if try performCollection(code) { return }
      if try performMemo(code) { return }
      guard try performObject(code) else { throw unknown(code) }
    }
  }

  /// Texts and bytes stay where they are in the file.
  private mutating func performText(_ code: UInt8) throws(Fault) -> Bool {
    switch code {
    case UInt8(ascii: "X"): stack.append(.text(try skip(try next(UInt32.self))))
    case 0x8C: stack.append(.text(try skip(try next(UInt8.self))))
    case 0x8D: stack.append(.text(try skip(try next(UInt64.self))))
    // Python 2 wrote texts as byte strings.
    case UInt8(ascii: "U"): stack.append(.text(try skip(try next(UInt8.self))))
    case UInt8(ascii: "T"): stack.append(.text(try skip(try next(Int32.self))))
    case UInt8(ascii: "C"): stack.append(.bytes(try skip(try next(UInt8.self))))
    case UInt8(ascii: "B"): stack.append(.bytes(try skip(try next(UInt32.self))))
    case 0x8E, 0x96: stack.append(.bytes(try skip(try next(UInt64.self))))
    default: return false
    }
    return true
  }

  private mutating func performCollection(_ code: UInt8) throws(Fault) -> Bool {
    switch code {
    case UInt8(ascii: ")"): stack.append(.tuple(collect([])))
    case 0x85...0x87: stack.append(.tuple(collect(try pop(Int(code) - 0x84))))
    case UInt8(ascii: "t"): stack.append(.tuple(collect(try popToMark())))
    // Sets are carried as lists.
    case UInt8(ascii: "]"), 0x8F: stack.append(.list(collect([])))
    case UInt8(ascii: "l"), 0x91: stack.append(.list(collect(try popToMark())))
    case UInt8(ascii: "a"): try append(try pop(1))
    case UInt8(ascii: "e"), 0x90: try append(try popToMark())
    case UInt8(ascii: "}"): stack.append(.dictionary(collect([])))
    case UInt8(ascii: "d"):
      let items = try popToMark()
      stack.append(.dictionary(collect([])))
      try insert(items)
    case UInt8(ascii: "s"): try insert(try pop(2))
    case UInt8(ascii: "u"): try insert(try popToMark())
    default: return false
    }
    return true
  }

  private mutating func performMemo(_ code: UInt8) throws(Fault) -> Bool {
    switch code {
    case UInt8(ascii: "q"): memo[Int(try next(UInt8.self))] = try top()
    case UInt8(ascii: "r"): memo[Int(try next(UInt32.self))] = try top()
    case 0x94: memo[memo.count] = try top()
    case UInt8(ascii: "h"): try recall(Int(try next(UInt8.self)))
    case UInt8(ascii: "j"): try recall(Int(try next(UInt32.self)))
    default: return false
    }
    return true
  }

  private mutating func performObject(_ code: UInt8) throws(Fault) -> Bool {
    switch code {
    case UInt8(ascii: "c"):
      guard let module = reader.line(of: 1_024), let name = reader.line(of: 1_024) else { throw cut() }
      stack.append(global(module: module, name: name))
    case 0x93:
      let names = try pop(2)
      guard case .text(let module) = names[0], case .text(let name) = names[1] else { throw misused(code) }
      stack.append(global(module: module, name: name))
    // REDUCE, NEWOBJ: a function or class, and its arguments.
    case UInt8(ascii: "R"), 0x81:
      let call = try pop(2)
      stack.append(try result(of: call[0], called: call[1]))
    case 0x92:
      let call = try pop(3)
      stack.append(try result(of: call[0], called: call[1]))
    // BUILD: a state that Python would set on the object. Ours have none.
    case UInt8(ascii: "b"):
      _ = try pop(1)
      _ = try top()
    case UInt8(ascii: "Q"): stack.append(try storage(named: try pop(1)[0]))
    default: return false
    }
    return true
  }
}

// MARK: - Operands

extension PickleMachine {
  /// Counts steps, so that neither a long pickle nor one that copies from itself takes much time or memory.
  mutating func charge(_ steps: Int) throws(Fault) {
    work += steps
    guard work <= Self.maximumWork else { throw tooLarge() }
  }

  mutating func collect(_ items: [PickleValue]) -> Int {
    heap.collections.append(items)
    return heap.collections.count - 1
  }

  private mutating func next<Number: FixedWidthInteger>(_: Number.Type) throws(Fault) -> Number {
    guard let number = reader.next(Number.self) else { throw cut() }
    return number
  }

  private mutating func skip(_ count: some BinaryInteger) throws(Fault) -> Range<Int> {
    guard let range = reader.skip(count) else { throw cut() }
    return range
  }

  private mutating func checkProtocol() throws(Fault) {
    let version = try next(UInt8.self)
    guard version <= 5 else { throw damaged("expected a pickle of protocol 2 to 5, found \(version)") }
  }

  /// Two's complement, little-endian, of any length.
  private mutating func pushLong(byteCount: Int) throws(Fault) {
    let range = try skip(byteCount)
    guard range.count <= 8 else { return stack.append(.bytes(range)) }
    var value = 0
    for byte in bytes[range].reversed() { value = value << 8 | Int(byte) }
    let unused = 64 - 8 * range.count
    stack.append(.integer(range.isEmpty ? 0 : (value << unused) >> unused))
  }

  /// Values below belong to a collection that is not finished.
  private var floor: Int { marks.last ?? 0 }

  private func top() throws(Fault) -> PickleValue {
    guard stack.count > floor, let top = stack.last else { throw damaged("takes a value that is not there") }
    return top
  }

  private mutating func pop() throws(Fault) -> PickleValue {
    let value = try top()
    stack.removeLast()
    return value
  }

  private mutating func pop(_ count: Int) throws(Fault) -> [PickleValue] {
    guard stack.count - floor >= count else { throw damaged("takes a value that is not there") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark() throws(Fault) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw damaged("ends a collection that was not begun") }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  private mutating func recall(_ key: Int) throws(Fault) {
    guard let value = memo[key] else { throw damaged("recalls a value that it has not kept") }
    stack.append(value)
  }

  private mutating func append(_ items: [PickleValue]) throws(Fault) {
    switch try top() {
    case .list(let index): heap.collections[index] += items
    case .placeholder: break
    default: throw damaged("appends to what is not a list")
    }
  }

  private mutating func insert(_ items: [PickleValue]) throws(Fault) {
    guard items.count.isMultiple(of: 2) else { throw damaged("has a key without a value") }
    switch try top() {
    case .dictionary(let index): heap.collections[index] += items
    case .placeholder: break
    default: throw damaged("inserts into what is not a dictionary")
    }
  }
}

// MARK: - Faults

extension PickleMachine {
  func damaged(_ problem: String) -> Fault {
    Fault(
      .badData, "pickle at byte \(reader.offset)", problem,
      remedy: "the file is damaged or no PyTorch checkpoint: fetch it again")
  }

  private func cut() -> Fault { damaged("ends inside an object") }

  private func misused(_ code: UInt8) -> Fault {
    damaged("gives operation \(code) a value of the wrong kind")
  }

  private func tooLarge() -> Fault {
    Fault(
      .badData, "pickle at byte \(reader.offset)",
      "describes an object larger or deeper than any checkpoint of a model",
      remedy: "save the weights alone: torch.save(model.state_dict(), path)")
  }

  private func unknown(_ code: UInt8) -> Fault {
    damaged(
      "expected an operation of pickle protocols 2 to 5, found 0x\(String(code, radix: 16, uppercase: true))")
  }
}
