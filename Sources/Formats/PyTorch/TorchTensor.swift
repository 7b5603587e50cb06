import Faults

/// A tensor of a PyTorch file, of which every element is known to lie inside the file.
struct TorchTensor: Sendable {
  let type: TorchScalarType
  let shape: [Int]
  /// In elements.
  let strides: [Int]
  let count: Int
  /// From the first element to the last; empty for a tensor without elements.
  let data: Range<Int>

  /// - Throws: `badData`, told of `subject`, when the tensor reaches beyond its storage, or the storage is
  ///   not in the file.
  init(
    _ tensor: PickleHeap.Tensor, in container: TorchContainer, _ file: UnsafeRawBufferPointer, subject: String
  ) throws(Fault) {
    func fault(_ problem: String) -> Fault {
      Fault(.badData, subject, problem, remedy: "the file is damaged: fetch it again")
    }
    guard let count = elementCount(of: tensor.shape), tensor.offset >= 0,
      tensor.strides.allSatisfy({ $0 >= 0 })
    else {
      throw fault("has the impossible shape \(tensor.shape), strides \(tensor.strides) at \(tensor.offset)")
    }
    type = tensor.type
    shape = tensor.shape
    strides = tensor.strides
    self.count = count
    guard count > 0 else {
      data = 0..<0
      return
    }
    let storage = container.heap.storages[tensor.storage]
    guard let key = file.text(in: storage.key), let bytes = container.storages[key] else {
      throw fault("its values are not in the file")
    }
    let (promised, overflow) = storage.elementCount.multipliedReportingOverflow(by: storage.type.byteCount)
    guard !overflow, promised == bytes.count else {
      throw fault(
        "expected \(storage.elementCount) values of \(storage.type.rawValue), found \(bytes.count) bytes")
    }
    // One past the last element, from the start of the storage.
    var end = (value: tensor.offset, overflow: false)
    for (extent, stride) in zip(tensor.shape, tensor.strides) {
      let step = (extent - 1).multipliedReportingOverflow(by: stride)
      let sum = end.value.addingReportingOverflow(step.partialValue)
      end = (sum.partialValue, end.overflow || step.overflow || sum.overflow)
    }
    let available = bytes.count / type.byteCount
    guard !end.overflow, end.value < available else {
      throw fault(
        "with shape \(shape), strides \(strides) at \(tensor.offset) reaches beyond its storage of "
          + "\(available) values")
    }
    data =
      bytes.lowerBound + tensor.offset * type.byteCount..<bytes.lowerBound + (end.value + 1) * type.byteCount
  }
}
