import Faults

/// Goes through an unpickled object with a stack of its own and within limits: the object may be deep,
/// circular, or refer to one part in so many ways that writing it out would never end.
struct TorchObjectWalk {
  static let maximumDepth = 32
  static let maximumNameByteCount = 1_024
  /// A ViT-g as student and teacher with AdamW has 2,800.
  static let maximumTensorCount = 65_536
  static let maximumTextCount = 64

  private let container: TorchContainer
  private let file: UnsafeRawBufferPointer
  /// Values that may still be looked at.
  private var budget = PickleMachine.maximumWork

  init(_ container: TorchContainer, _ file: UnsafeRawBufferPointer) {
    self.container = container
    self.file = file
  }

  private var collections: [[PickleValue]] { container.heap.collections }

  /// The dictionary at the top, by its keys that are texts or integers; of equal keys the last holds.
  /// - Throws: `badData` when the object is something else.
  func rootItems() throws(Fault) -> [(key: String, value: PickleValue)] {
    guard case .dictionary(let index) = container.root else {
      throw Fault(
        .badData, "", expected: "a dictionary of tensors", found: description(of: container.root),
        remedy: "save the weights alone: torch.save(model.state_dict(), path)")
    }
    var items: [(key: String, value: PickleValue)] = []
    var places: [String: Int] = [:]
    let collection = collections[index]
    for place in stride(from: 0, to: collection.count, by: 2) {
      guard let key = key(collection[place]) else { continue }
      if let known = places[key] {
        items[known].value = collection[place + 1]
      } else {
        places[key] = items.count
        items.append((key, collection[place + 1]))
      }
    }
    return items
  }

  /// Whether the value is a dictionary with a tensor somewhere in it. When too much has been looked at, it is
  /// taken to be.
  mutating func holdsTensors(_ value: PickleValue) -> Bool {
    guard case .dictionary(let index) = value else { return false }
    var seen: Set<Int> = [index]
    var pending = [index]
    while let index = pending.popLast() {
      for value in collections[index] {
        budget -= 1
        guard budget > 0 else { return true }
        switch value {
        case .tensor: return true
        case .dictionary(let inner), .list(let inner), .tuple(let inner):
          if seen.insert(inner).inserted { pending.append(inner) }
        default: break
        }
      }
    }
    return false
  }

  /// The first few numbers and short texts by their keys.
  func metadata(of items: [(key: String, value: PickleValue)]) -> [String: String] {
    var texts: [String: String] = [:]
    for (key, value) in items where texts.count < Self.maximumTextCount {
      switch value {
      case .boolean(let value): texts[key] = String(value)
      case .integer(let value): texts[key] = String(value)
      case .float(let value): texts[key] = String(value)
      case .text(let range) where range.count <= Self.maximumNameByteCount: texts[key] = file.text(in: range)
      default: break
      }
    }
    return texts
  }

  private func description(of value: PickleValue) -> String {
    switch value {
    case .tensor: return "a single tensor"
    case .list, .tuple: return "a list"
    case .placeholder(let index):
      let (module, name) = container.heap.foreignNames[index]
      guard !name.isEmpty, let module = file.text(in: module), let name = file.text(in: name) else { break }
      return "a Python object of class \(excerpt("\(module).\(name)"))"
    default: break
    }
    return "another object"
  }

  private func key(_ value: PickleValue) -> String? {
    switch value {
    case .text(let range): range.count <= Self.maximumNameByteCount ? file.text(in: range) : nil
    case .integer(let number): String(number)
    default: nil
    }
  }
}

// MARK: - Tensors by name

extension TorchObjectWalk {
  /// A collection that is being gone through.
  private struct Frame {
    let items: [PickleValue]
    let isDictionary: Bool
    /// What its items' names begin with.
    let prefix: String
    var place = 0

    init?(_ value: PickleValue, prefix: String, in collections: [[PickleValue]]) {
      switch value {
      case .dictionary(let index): (items, isDictionary) = (collections[index], true)
      case .list(let index), .tuple(let index): (items, isDictionary) = (collections[index], false)
      default: return nil
      }
      self.prefix = prefix
    }
  }

  /// All tensors in the value, in dictionaries and lists: names are keys and positions, joined with dots.
  /// - Throws: `badData` when a tensor reaches beyond its storage, when two have the same name, or when they
  ///   are larger than the file together.
  mutating func tensors(of value: PickleValue) throws(Fault) -> [String: TorchTensor] {
    var tensors: [String: TorchTensor] = [:]
    var elements = 0
    var frames = [Frame(value, prefix: "", in: collections)].compactMap { $0 }
    while let (name, value) = try advance(&frames) {
      if case .tensor(let index) = value {
        let subject = "tensor \(excerpt(name))"
        let tensor = try TorchTensor(container.heap.tensors[index], in: container, file, subject: subject)
        elements = elements.addingReportingOverflow(tensor.count).partialValue
        // Tensors may share values, or repeat one without end by a stride of zero. Tied weights make twice
        // the values that a file has room for at most.
        guard (0...2 * file.count).contains(elements) else {
          throw Fault(
            .badData, subject, "has with those before it more values than the file has bytes: they repeat",
            remedy: "save copies: torch.save({k: v.clone() for k, v in model.state_dict().items()}, path)")
        }
        guard tensors.updateValue(tensor, forKey: name) == nil else {
          throw Fault(.badData, subject, "is in the file twice", remedy: "save the weights again")
        }
        guard tensors.count <= Self.maximumTensorCount else { throw tooLarge() }
      } else if let frame = Frame(value, prefix: name + ".", in: collections) {
        guard frames.count < Self.maximumDepth else { throw tooLarge() }
        frames.append(frame)
      }
    }
    return tensors
  }

  /// The next item of the innermost collection that is not finished, with its whole name; items without a
  /// name and without tensors are passed over.
  private mutating func advance(_ frames: inout [Frame]) throws(Fault) -> (String, PickleValue)? {
    while var frame = frames.popLast() {
      while frame.place < frame.items.count {
        budget -= 1
        guard budget > 0 else { throw tooLarge() }
        let place = frame.place
        frame.place += frame.isDictionary ? 2 : 1
        let value = frame.items[frame.isDictionary ? place + 1 : place]
        switch value {
        case .tensor, .dictionary, .list, .tuple: break
        default: continue
        }
        guard let key = frame.isDictionary ? key(frame.items[place]) : String(place) else { continue }
        let name = frame.prefix + key
        guard name.utf8.count <= Self.maximumNameByteCount else { throw tooLarge() }
        frames.append(frame)
        return (name, value)
      }
    }
    return nil
  }

  private func tooLarge() -> Fault {
    Fault(
      .badData, "", "has more tensors, or deeper ones, than any checkpoint of a model",
      remedy: "save the weights alone: torch.save(model.state_dict(), path)")
  }
}
