import Faults

/// A file of `torch.save`: the object that it holds, and where the bytes of its storages lie.
struct TorchContainer {
  let root: PickleValue
  let heap: PickleHeap
  /// By the keys under which the object's storages know them.
  let storages: [String: Range<Int>]

  /// - Source: torch/serialization.py, PyTorch 2.13; the ZIP layout is that of PyTorch 1.6 and later.
  init(of file: UnsafeRawBufferPointer) throws(Fault) {
    self = try file.starts(with: [0x50, 0x4B]) ? Self(archive: file) : Self(legacy: file)
  }
}

private let saveStateDict = "save the weights alone: torch.save(model.state_dict(), path)"

// MARK: - ZIP

extension TorchContainer {
  /// `<root>/data.pkl` is the object, `<root>/data/<key>` are the storages.
  private init(archive file: UnsafeRawBufferPointer) throws(Fault) {
    let entries = try ZipDirectory(of: file).entries
    let root = try Self.root(of: entries)
    var storages: [String: Range<Int>] = [:]
    var pickle: Range<Int>?
    for entry in entries where entry.name.hasPrefix(root) {
      let name = String(entry.name.dropFirst(root.count))
      let isData = name.hasPrefix("data/")
      guard isData || name == "data.pkl" || name == "byteorder" else { continue }
      guard entry.isStored else {
        throw Fault(
          .badData, excerpt(entry.name), "is compressed, which PyTorch itself does not read",
          remedy: "unpack the archive and pack it again with zip -0, or save the weights again")
      }
      if isData {
        storages[String(name.dropFirst("data/".count))] = entry.data
      } else if name == "data.pkl" {
        pickle = entry.data
      } else if !file.spells("little", in: entry.data) {
        throw Fault(
          .badData, excerpt(entry.name), expected: "little",
          found: excerpt(file.text(in: entry.data) ?? "other bytes"),
          remedy: "the file is from a big-endian machine: load it with PyTorch here and save it again")
      }
    }
    guard let pickle else { throw Self.notPyTorch(entries) }
    let result = try PickleMachine.run(file, in: pickle)
    self.init(root: result.root, heap: result.heap, storages: storages)
  }

  private init(root: PickleValue, heap: PickleHeap, storages: [String: Range<Int>]) {
    self.root = root
    self.heap = heap
    self.storages = storages
  }

  /// The folder of `data.pkl`, with its slash; empty when the archive has no folder.
  private static func root(of entries: [ZipDirectory.Entry]) throws(Fault) -> String {
    let roots = entries.compactMap { entry in
      let parts = entry.name.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
      return parts.count <= 2 && parts.last == "data.pkl"
        ? String(entry.name.dropLast("data.pkl".count)) : nil
    }
    guard let root = roots.first else { throw notPyTorch(entries) }
    guard roots.count == 1 else {
      throw Fault(
        .badData, "", "is an archive of several PyTorch files", remedy: "unpack it and give one of them")
    }
    if entries.contains(where: { $0.name == root + "constants.pkl" || $0.name.hasPrefix(root + "code/") }) {
      throw Fault(
        .badData, "", expected: "a PyTorch checkpoint of weights", found: "a TorchScript program",
        remedy: "in Python: torch.save(torch.jit.load(path).state_dict(), \"weights.pth\")")
    }
    return root
  }

  private static func notPyTorch(_ entries: [ZipDirectory.Entry]) -> Fault {
    let names = entries.lazy.map(\.name)
    let found =
      if !entries.isEmpty, names.allSatisfy({ $0.hasSuffix(".npy") }) {
        "a NumPy archive (.npz)"
      } else if names.contains("model.weights.h5") {
        "a Keras model"
      } else {
        "a ZIP archive without data.pkl"
      }
    return Fault(
      .badData, "", expected: "a PyTorch checkpoint or a safetensors file", found: found,
      remedy: "give the file that torch.save or safetensors wrote")
  }
}

// MARK: - Before PyTorch 1.6

extension TorchContainer {
  /// Five pickles: a magic number, the version of the layout, facts about the machine, the object, and the
  /// keys of its storages. Then each storage: the count of elements in 8 bytes, and the elements.
  private init(legacy file: UnsafeRawBufferPointer) throws(Fault) {
    let magic = try PickleMachine.run(file, in: 0..<file.count)
    guard case .bytes(let number) = magic.root,
      file[number].elementsEqual([0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19])
    else {
      throw Fault(
        .badData, "", expected: "a PyTorch checkpoint", found: "another Python pickle", remedy: saveStateDict)
    }
    let version = try PickleMachine.run(file, in: magic.end..<file.count)
    guard case .integer(1001) = version.root else {
      throw Fault(.badData, "", "is of an unknown version of PyTorch's older layout", remedy: saveStateDict)
    }
    let machine = try PickleMachine.run(file, in: version.end..<file.count)
    if case .boolean(false)? = machine.heap.value(of: "little_endian", in: machine.root, file) {
      throw Fault(
        .badData, "", "is from a big-endian machine", remedy: "load it with PyTorch here and save it again")
    }
    let object = try PickleMachine.run(file, in: machine.end..<file.count)
    let keys = try PickleMachine.run(file, in: object.end..<file.count)
    let storages = try Self.storages(of: object.heap, keys: keys, file)
    self.init(root: object.root, heap: object.heap, storages: storages)
  }

  private static func storages(
    of heap: PickleHeap, keys: PickleMachine.Result, _ file: UnsafeRawBufferPointer
  ) throws(Fault) -> [String: Range<Int>] {
    let damaged = "the file is cut short or damaged: fetch it again"
    var known: [String: PickleHeap.Storage] = [:]
    for storage in heap.storages {
      if let key = file.text(in: storage.key) { known[key] = storage }
    }
    guard case .list(let list) = keys.root else {
      throw Fault(.badData, "", "lacks the list of its storages", remedy: damaged)
    }
    var reader = ByteReader(file, in: keys.end..<file.count)
    var ranges: [String: Range<Int>] = [:]
    for item in keys.heap.collections[list] {
      guard case .text(let range) = item, let key = file.text(in: range), let storage = known[key] else {
        throw Fault(.badData, "", "lists a storage that belongs to no tensor", remedy: damaged)
      }
      // The division is exact: a storage is whole elements.
      guard let count = reader.next(UInt64.self), count == storage.elementCount,
        count <= (reader.end - reader.offset) / storage.type.byteCount,
        let data = reader.skip(count * UInt64(storage.type.byteCount)),
        ranges.updateValue(data, forKey: key) == nil
      else { throw Fault(.badData, "storage \(excerpt(key))", "is not all there", remedy: damaged) }
    }
    return ranges
  }
}

extension PickleHeap {
  /// The value under a key of a dictionary; nil when the value is another or has no such key.
  func value(
    of key: StaticString, in dictionary: PickleValue, _ file: UnsafeRawBufferPointer
  ) -> PickleValue? {
    guard case .dictionary(let index) = dictionary else { return nil }
    let items = collections[index]
    // As in Python, the last of equal keys holds.
    for place in stride(from: items.count - 2, through: 0, by: -2) {
      if case .text(let range) = items[place], file.spells(key, in: range) { return items[place + 1] }
    }
    return nil
  }
}
