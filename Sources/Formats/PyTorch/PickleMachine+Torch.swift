import Faults

/// What PyTorch puts into its pickles: storages, and the functions that make tensors of them.
///
/// - Source: torch/serialization.py and torch/_utils.py, PyTorch 0.4 to 2.13.
extension PickleMachine {
  /// The value that stands for a global name.
  mutating func global(module: Range<Int>, name: Range<Int>) -> PickleValue {
    func isNamed(_ modules: StaticString..., name text: StaticString) -> Bool {
      bytes.spells(text, in: name) && modules.contains { bytes.spells($0, in: module) }
    }
    if isNamed("collections", name: "OrderedDict") || isNamed("collections", name: "defaultdict") {
      return .function(.dictionary)
    }
    if isNamed("torch", name: "Size") { return .function(.size) }
    if isNamed("torch._utils", name: "_rebuild_tensor_v2") || isNamed("torch._utils", name: "_rebuild_tensor")
    {
      return .function(.tensor)
    }
    if isNamed("torch._utils", name: "_rebuild_tensor_v3") { return .function(.typedTensor) }
    if isNamed("torch._utils", name: "_rebuild_parameter")
      || isNamed("torch._utils", name: "_rebuild_parameter_with_state")
    {
      return .function(.parameter)
    }
    if isNamed("torch._tensor", name: "_rebuild_from_type_v2") { return .function(.subclass) }
    if let type = storageClass(module: module, name: name) { return .storageClass(type) }
    if bytes.spells("torch", in: module), name.count < 16,
      let type = bytes.text(in: name).flatMap(TorchScalarType.init(rawValue:))
    {
      return .scalarType(type)
    }
    heap.foreignNames.append((module, name))
    return .placeholder(heap.foreignNames.count - 1)
  }

  private func storageClass(module: Range<Int>, name: Range<Int>) -> TorchScalarType? {
    let modules: [StaticString] = ["torch", "torch.cuda", "torch.storage"]
    guard name.count < 32, modules.contains(where: { bytes.spells($0, in: module) }) else { return nil }
    return bytes.text(in: name).flatMap(TorchScalarType.init(storageClass:))
  }

  /// The value that stands for what a function would return; that of a placeholder is the placeholder.
  mutating func result(of function: PickleValue, called arguments: PickleValue) throws(Fault) -> PickleValue {
    guard case .function(let function) = function else { return placeholder(for: function) }
    guard case .tuple(let index) = arguments else { throw damaged("calls a function without arguments") }
    let arguments = heap.collections[index]
    guard function == .subclass else { return try result(of: function, called: arguments) }
    guard arguments.count >= 3, case .function(let inner) = arguments[0], inner != .subclass,
      case .tuple(let innerIndex) = arguments[2]
    else { return placeholder(for: .none) }
    return try result(of: inner, called: heap.collections[innerIndex])
  }

  private mutating func result(
    of function: TorchFunction, called arguments: [PickleValue]
  ) throws(Fault) -> PickleValue {
    switch function {
    case .dictionary: return try dictionary(of: arguments)
    case .size:
      guard arguments.count == 1, case .tuple = arguments[0] else { throw damaged("describes no size") }
      return arguments[0]
    case .tensor: return try tensor(of: arguments, type: nil)
    case .typedTensor:
      guard arguments.count >= 7 else { throw damaged("describes a tensor without its type") }
      guard case .scalarType(let type) = arguments[6] else { return placeholder(for: arguments[6]) }
      return try tensor(of: arguments, type: type)
    case .parameter:
      guard let tensor = arguments.first else { throw damaged("describes a parameter without a tensor") }
      return tensor
    case .subclass: return placeholder(for: .none)
    }
  }

  private mutating func placeholder(for value: PickleValue) -> PickleValue {
    if case .placeholder = value { return value }
    heap.foreignNames.append((0..<0, 0..<0))
    return .placeholder(heap.foreignNames.count - 1)
  }

  /// Python 2 hands over pairs; a `defaultdict` hands over its factory; else the items come later.
  private mutating func dictionary(of arguments: [PickleValue]) throws(Fault) -> PickleValue {
    guard case .list(let index)? = arguments.first else { return .dictionary(collect([])) }
    let pairs = heap.collections[index]
    try charge(2 * pairs.count)
    var items: [PickleValue] = []
    for pair in pairs {
      guard case .list(let pair) = pair, heap.collections[pair].count == 2 else {
        throw damaged("makes a dictionary of what is not pairs")
      }
      items += heap.collections[pair]
    }
    return .dictionary(collect(items))
  }

  private mutating func tensor(
    of arguments: [PickleValue], type: TorchScalarType?
  ) throws(Fault) -> PickleValue {
    guard arguments.count >= 4 else { throw damaged("describes a tensor without storage or shape") }
    if case .placeholder = arguments[0] { return arguments[0] }
    guard case .storage(let storage) = arguments[0], case .integer(let offset) = arguments[1],
      let shape = integers(arguments[2]), let strides = integers(arguments[3]), shape.count == strides.count
    else { throw damaged("describes a tensor by values of the wrong kind") }
    try charge(2 * shape.count)
    heap.tensors.append(
      PickleHeap.Tensor(
        storage: storage, type: type ?? heap.storages[storage].type, offset: offset, shape: shape,
        strides: strides))
    return .tensor(heap.tensors.count - 1)
  }

  /// nil when the value is not a tuple of at most `maximumRank` integers.
  private func integers(_ value: PickleValue) -> [Int]? {
    guard case .tuple(let index) = value, heap.collections[index].count <= maximumRank else { return nil }
    var integers: [Int] = []
    for item in heap.collections[index] {
      guard case .integer(let integer) = item else { return nil }
      integers.append(integer)
    }
    return integers
  }

  /// What a persistent name stands for: ("storage", class, key, device, elements), in older files with a
  /// sixth item for views that PyTorch no longer writes; or ("module", class, ...).
  mutating func storage(named name: PickleValue) throws(Fault) -> PickleValue {
    guard case .tuple(let index) = name else { throw damaged("names a storage by what is not a tuple") }
    let parts = heap.collections[index]
    if parts.count >= 2, case .text(let kind) = parts[0], bytes.spells("module", in: kind) { return parts[1] }
    guard (5...6).contains(parts.count), case .text(let kind) = parts[0], bytes.spells("storage", in: kind),
      case .text(let key) = parts[2], case .integer(let elementCount) = parts[4], elementCount >= 0
    else { throw damaged("names a storage by values of the wrong kind") }
    if parts.count == 6 {
      guard case .none = parts[5] else {
        throw damaged("names a view of a storage, as PyTorch before 0.4 did")
      }
    }
    guard case .storageClass(let type) = parts[1] else { return placeholder(for: parts[1]) }
    heap.storages.append(PickleHeap.Storage(key: key, type: type, elementCount: elementCount))
    return .storage(heap.storages.count - 1)
  }
}
