import Faults
package import Identity
import ImageCodecs

/// A field of view in memory.
package struct FieldImage: Sendable {
  package let name: String
  /// One for each plane.
  package let roles: [String]
  package let planes: [Plane]
  /// Where each plane came from, its number filled in.
  package let sources: [ChannelSource]
  package let mask: LabelImage?
  /// Digest of the pixels of all channels with their roles; see `contentIdentity`. Names, paths and the mask
  /// do not enter.
  package let identity: ContentHash

  package var width: Int { planes[0].width }
  package var height: Int { planes[0].height }

  /// - Throws: `badData` when the planes or the mask differ in size.
  package init(
    name: String, roles: [String], planes: [Plane], sources: [ChannelSource] = [], mask: LabelImage? = nil
  ) throws {
    precondition(!planes.isEmpty && roles.count == planes.count)
    let first = planes[0]
    for (role, plane) in zip(roles, planes) where plane.width != first.width || plane.height != first.height {
      throw Fault(
        .badData, name, expected: "channels of one size",
        found: "\(roles[0]) \(first.width)x\(first.height), \(role) \(plane.width)x\(plane.height)",
        remedy: "leave this image out or export its channels again")
    }
    if let mask, mask.width != first.width || mask.height != first.height {
      throw Fault(
        .badData, name, expected: "a mask of the image's \(first.width)x\(first.height) pixels",
        found: "a mask of another size, \(mask.width)x\(mask.height)",
        remedy: "segment the image at its own size")
    }
    self.name = name
    self.roles = roles
    self.planes = planes
    self.sources = sources
    self.mask = mask
    identity = contentIdentity(roles: roles, planes: planes)
  }
}

/// Reads all channels of a field of view, and its mask.
/// - Throws: as `ImageFile`, and `badData` when sizes differ.
package func readFieldOfView(_ field: FieldOfView) throws -> FieldImage {
  var planes: [Plane] = []
  var sources: [ChannelSource] = []
  for channel in field.channels {
    let (plane, index) = try readPlane(channel)
    planes.append(plane)
    sources.append(ChannelSource(role: channel.role, path: channel.path, plane: index))
  }
  guard !planes.isEmpty else { throw Fault(.badData, field.name, expected: "a channel", found: "none") }
  let mask = try field.mask.map { source in
    let plane = try readPlane(source).plane
    do {
      return try LabelImage(plane)
    } catch let fault as Fault {
      throw fault.within(source.path)
    }
  }
  return try FieldImage(
    name: field.name, roles: field.channels.map(\.role), planes: planes, sources: sources, mask: mask)
}

private func readPlane(_ source: ChannelSource) throws -> (plane: Plane, index: Int) {
  guard let index = source.plane else { return try ImageFile.onlyPlane(at: source.path) }
  return (try ImageFile.plane(index, at: source.path), index)
}

/// The XXH3-128 digest of an image's content.
///
/// Digested are, for each channel in order of its role's UTF-8 bytes: the role's UTF-8 bytes, a zero byte, the
/// sample type's name ("uint8", "uint16", "float32"), a zero byte, width and height as 32-bit little-endian
/// integers, then the pixels, row-major, each in the sample type's own little-endian bytes.
package func contentIdentity(roles: [String], planes: [Plane]) -> ContentHash {
  var hasher = ContentHasher()
  let order = roles.indices.sorted { roles[$0].utf8.lexicographicallyPrecedes(roles[$1].utf8) }
  for index in order {
    let plane = planes[index]
    hasher.combine(roles[index])
    hasher.combine(UInt8(0))
    hasher.combine(plane.sampleType.rawValue)
    hasher.combine(UInt8(0))
    hasher.combine(UInt32(plane.width))
    hasher.combine(UInt32(plane.height))
    combinePixels(of: plane, into: &hasher)
  }
  return hasher.finalize()
}

private func combinePixels(of plane: Plane, into hasher: inout ContentHasher) {
  plane.pixels.withUnsafeBufferPointer { pixels in
    // All machines that this runs on are little-endian, so memory order is the documented order.
    guard plane.sampleType != .float32 else { return hasher.combine(UnsafeRawBufferPointer(pixels)) }
    let size = plane.sampleType == .uint8 ? 1 : 2
    withUnsafeTemporaryAllocation(byteCount: 8192 * size, alignment: 2) { scratch in
      guard let narrow = scratch.baseAddress, let values = pixels.baseAddress else { return }
      for start in stride(from: 0, to: pixels.count, by: 8192) {
        let count = min(8192, pixels.count - start)
        if plane.sampleType == .uint8 {
          codec_narrow_uint8(values + start, count, narrow.assumingMemoryBound(to: UInt8.self))
        } else {
          codec_narrow_uint16(values + start, count, narrow.assumingMemoryBound(to: UInt16.self))
        }
        hasher.combine(UnsafeRawBufferPointer(start: narrow, count: count * size))
      }
    }
  }
}
