/// A value of a Python object that was read from a pickle.
///
/// Collections are numbers into a `PickleHeap`, and texts are places in the file: whatever a pickle builds,
/// deep, shared or circular, is made, walked and released without recursion.
enum PickleValue: Sendable {
  case none
  case boolean(Bool)
  case integer(Int)
  case float(Double)
  /// UTF-8, not yet checked.
  case text(Range<Int>)
  /// Also integers of more than 8 bytes.
  case bytes(Range<Int>)
  case tuple(Int)
  case list(Int)
  /// A `dict` or `OrderedDict`: keys and values in turn, in the order of insertion.
  case dictionary(Int)
  case function(TorchFunction)
  case storageClass(TorchScalarType)
  case scalarType(TorchScalarType)
  case storage(Int)
  case tensor(Int)
  /// A class or function that we do not know, or what a pickle made with one: carried along, never run. The
  /// number is that of its name.
  case placeholder(Int)
}

/// The functions that we know. None is called: each stands for the value that it would return.
enum TorchFunction: Sendable {
  case dictionary
  case size
  /// Arguments: storage, offset, shape, strides.
  case tensor
  /// The same with the type as seventh argument, over a storage without a type.
  case typedTensor
  /// Returns its first argument.
  case parameter
  /// Arguments: another function of these, a class, that function's arguments, a state.
  case subclass
}

/// What a pickle has made.
struct PickleHeap: Sendable {
  /// Bytes that are kept outside the pickle.
  struct Storage: Sendable {
    /// The key by which the file knows it.
    let key: Range<Int>
    let type: TorchScalarType
    let elementCount: Int
  }

  /// A view of a storage, as the pickle describes it: nothing about it has been checked but its rank.
  struct Tensor: Sendable {
    let storage: Int
    let type: TorchScalarType
    let offset: Int
    let shape: [Int]
    let strides: [Int]
  }

  var collections: [[PickleValue]] = []
  var storages: [Storage] = []
  var tensors: [Tensor] = []
  /// Module and name of what placeholders stand for.
  var foreignNames: [(module: Range<Int>, name: Range<Int>)] = []
}
