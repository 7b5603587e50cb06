import Faults
import Formats

/// The input is lines of text: the branch that is asked for, nothing for the usual one; then the names of
/// tensors. A name "key/name" stands under a key at the top of a PyTorch checkpoint; without such names the
/// same tensors are read as safetensors too.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  let lines = text.split(separator: "\n", omittingEmptySubsequences: false).prefix(200)
  let branch = lines.first.flatMap { $0.isEmpty ? nil : String($0) }
  let names = Set(lines.dropFirst().map { String($0) }).subtracting(["__metadata__"]).sorted()
  let checkpoint = archive([("x/data.pkl", pickle(of: names)), ("x/data/0", [0, 0, 0, 0])])
  check(branch) { try openTensorFile(bytes: checkpoint, name: "input", branch: $0) }
  guard !names.contains(where: { $0.contains("/") }) else { return 0 }
  let file = SafetensorsFile.encode(tensors: names.map { (name: $0, shape: [1], values: [0]) })
  check(branch) { try openTensorFile(bytes: file, name: "input", branch: $0) }
  return 0
}

/// What holds for every file and its branches.
private func check(_ branch: String?, open: (String?) throws -> any TensorFile) {
  do {
    let usual = try open(nil)
    let branches = usual.branches
    guard branches.chosen == branches.usual, branches.unusual == nil, Set(branches.all).count == branches.all.count
    else { fatalError("no usual branch: \(branches)") }
    for name in branches.all.prefix(8) {
      let part = try open(name)
      guard !part.tensorNames.isEmpty else { fatalError("branch \(name) is empty") }
      if name == branches.usual, part.tensorNames != usual.tensorNames { fatalError("two usual branches") }
      // What is told apart by its hash must be one thing, and what is one thing must not be told apart.
      if part.branches.unusual == nil, part.tensorNames != usual.tensorNames {
        fatalError("branch \(name) passes for the usual one")
      }
    }
    guard let branch else { return }
    do {
      let part = try open(branch)
      guard branches.all.contains(branch), try part.tensorNames.allSatisfy({ try part.floats(of: $0) == [0] })
      else { fatalError("an unknown branch is read") }
    } catch let fault as Fault {
      guard fault.kind == .missingInput || fault.kind == .usage, !branches.all.contains(branch) else {
        fatalError("\(fault)")
      }
    }
  } catch {
    checkSentence(error)
  }
}

/// The pickle of a dictionary of scalars, all of one storage, some of them in dictionaries.
private func pickle(of names: [String]) -> [UInt8] {
  func text(_ text: String) -> [UInt8] { [0x58] + number(text.utf8.count, 4) + Array(text.utf8) }
  let storage = Array("(".utf8) + text("storage") + Array("ctorch\nFloatStorage\n".utf8) + text("0") + text("cpu")
  let tensor =
    Array("ctorch._utils\n_rebuild_tensor_v2\n(".utf8) + storage + Array("K\u{1}tQK\u{0}K\u{1}".utf8) + [0x85]
    + Array("K\u{1}".utf8) + [0x85, 0x89] + Array("}tR".utf8)
  var keyed: [String: [String]] = [:]
  var pickle: [UInt8] = [0x80, 2] + Array("}(".utf8)
  for name in names {
    let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    if parts.count == 2 { keyed[parts[0], default: []].append(parts[1]) } else { pickle += text(name) + tensor }
  }
  for (key, inner) in keyed.sorted(by: { $0.key < $1.key }) {
    pickle += text(key) + Array("}(".utf8) + inner.flatMap { text($0) + tensor } + Array("u".utf8)
  }
  return pickle + Array("u.".utf8)
}
