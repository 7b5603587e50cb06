/// Memory that lives as long as this, on cache lines.
final class ScratchMemory {
  private var blocks: [UnsafeMutableRawPointer] = []

  deinit {
    for block in blocks { block.deallocate() }
  }

  func bytes(_ count: Int) -> UnsafeMutableRawPointer {
    let block = UnsafeMutableRawPointer.allocate(byteCount: max(64, count), alignment: 64)
    blocks.append(block)
    return block
  }

  /// - Parameter dense: whether rows follow one another without a gap.
  func rows(_ count: Int, bytes: Int, dense: Bool = false) -> Rows {
    let stride = dense ? bytes : ForwardPass.padded(bytes)
    return Rows(start: self.bytes(count * stride), stride: stride)
  }
}
