package import Faults

/// A plane of a file that serves as a channel or as a mask.
package struct ChannelSource: Sendable, Hashable {
  package let role: String
  package let path: String
  /// The plane of the file, from 0; nil for a file that has one plane only.
  package let plane: Int?

  package init(role: String, path: String, plane: Int? = nil) {
    self.role = role
    self.path = path
    self.plane = plane
  }
}

/// One field of view on disk: a file for each channel, and one for the label mask if there is any.
package struct FieldOfView: Sendable, Hashable {
  /// What its files have in common; see `ChannelPattern`.
  package let name: String
  /// In the order of the patterns that found them.
  package let channels: [ChannelSource]
  package let mask: ChannelSource?

  package init(name: String, channels: [ChannelSource], mask: ChannelSource? = nil) {
    self.name = name
    self.channels = channels
    self.mask = mask
  }

  /// Its files, one of several planes as often as it serves.
  package var paths: [String] { (channels + [mask].compactMap(\.self)).map(\.path) }
}

/// What a folder holds, put together to images.
package struct Grouping: Sendable {
  /// The complete images, in natural order of their names.
  package let images: [FieldOfView]
  /// One fault for each image that lacks a file or has two for one channel, but for lack of files that are passed over.
  package let incomplete: [Fault]
  /// One fault for each folder that cannot be read, and each file that a pattern fits but for a name that is not UTF-8 or a
  /// link that leads to nothing: how many images are in them is not known.
  package let passedOver: [Fault]
  /// Files that no pattern matched.
  package let unmatchedFiles: Int

  package var problems: [Fault] { passedOver + incomplete }
}

/// The images of a folder and of all folders below it, but for those of databases.
///
/// A file that several patterns match belongs to those with the most literal characters: with `*.png` and
/// `*_mask.png`, `A01_mask.png` is a mask only. Hidden files are ignored, links to files followed. When `folder`
/// is the path of a file, only the images that this file belongs to are given.
/// - Parameter mask: the pattern of label masks, `#plane` at its end allowed.
/// - Throws: `usage` for two channels of one role, `missingInput` when no file matches.
package func findImages(in folder: String, channels: [ChannelPattern], mask: String?) throws -> Grouping {
  let maskPattern = try mask.map { try ChannelPattern(role: "mask", parsing: $0[...]) }
  try refuseRepeatedRoles(channels)
  guard FolderListing.isFile(folder) else {
    let folder = withoutTrailingSlash(folder)
    return try group(FolderListing(of: folder), in: folder, channels, maskPattern)
  }
  let (parent, file) = splitPath(folder)
  let whole = try group(FolderListing(of: parent), in: parent, channels, maskPattern)
  let own = whole.narrowed(toFile: "\(parent)/\(file)")
  guard own.images.isEmpty, own.problems.isEmpty else { return own }
  throw Fault(
    .missingInput, folder, "belongs to no image of the patterns",
    remedy: "name a folder, or a file that a pattern fits")
}

private func refuseRepeatedRoles(_ channels: [ChannelPattern]) throws {
  for (index, channel) in channels.enumerated()
  where channels[..<index].contains(where: { $0.role == channel.role }) {
    throw Fault(
      .usage, "channel \(channel.role)", expected: "one pattern", found: "two",
      remedy: "give each channel a role of its own")
  }
  guard channels.isEmpty else { return }
  throw Fault(
    .usage, "channels", expected: "at least one", found: "none", remedy: "name one, such as protein=*.png")
}

private func withoutTrailingSlash(_ path: String) -> String {
  path.count > 1 && path.hasSuffix("/") ? withoutTrailingSlash(String(path.dropLast())) : path
}

private func splitPath(_ path: String) -> (folder: String, file: String) {
  guard let slash = path.lastIndex(of: "/") else { return (".", path) }
  let folder = slash == path.startIndex ? "/" : String(path[..<slash])
  return (withoutTrailingSlash(folder), String(path[path.index(after: slash)...]))
}

/// The files found for one image, by the index of their pattern.
private typealias Candidates = [Int: [String]]

private func group(
  _ listing: FolderListing, in folder: String, _ channels: [ChannelPattern], _ mask: ChannelPattern?
) throws -> Grouping {
  let patterns = channels + (mask.map { [$0] } ?? [])
  let namers = patterns.map { ImageNamer($0, folder: folder) }
  func matches(of file: String) -> [(index: Int, name: String)] {
    let all = namers.indices.compactMap { index in
      namers[index].imageName(of: file).map { (index: index, name: $0) }
    }
    let most = all.map { namers[$0.index].literalCount }.max()
    return all.filter { namers[$0.index].literalCount == most }
  }
  var found: [String: Candidates] = [:]
  var unmatchedFiles = 0
  for file in listing.files {
    let places = matches(of: file)
    if places.isEmpty { unmatchedFiles += 1 }
    for place in places { found[place.name, default: [:]][place.index, default: []].append(file) }
  }
  var unreachable: [Fault] = []
  // The patterns that they fit, by the name of their image.
  var unreachablePatterns: [String: Set<Int>] = [:]
  for (file, fault) in listing.unreachable {
    let places = matches(of: file)
    if places.isEmpty { unmatchedFiles += 1 } else { unreachable.append(fault) }
    for place in places { unreachablePatterns[place.name, default: []].insert(place.index) }
  }
  // A pattern that no file fits is a slip of the command, not a fault of every single image.
  let idle = patterns.indices.filter { index in !found.values.contains { $0[index] != nil } }
  let wrong = idle.filter { index in !unreachablePatterns.values.contains { $0.contains(index) } }
  if !wrong.isEmpty { throw nothingFound(listing, folder, wrong.map { patterns[$0] }) }
  if let index = idle.first,
    let file = listing.unreachable.first(where: { matches(of: $0.path).contains { $0.index == index } })
  {
    throw file.fault
  }

  var images: [FieldOfView] = []
  var incomplete: [Fault] = []
  for (name, candidates) in found.sorted(by: { precedesNaturally($0.key, $1.key) }) {
    if let problem = fault(in: candidates, of: name, patterns, except: unreachablePatterns[name] ?? []) {
      incomplete.append(problem)
      continue
    }
    // What it lacks is unreachable, which is told.
    if candidates.count < patterns.count { continue }
    var sources = patterns.enumerated().map { index, pattern in
      ChannelSource(
        role: pattern.role, path: "\(folder)/\(candidates[index]?.first ?? "")", plane: pattern.plane)
    }
    let maskSource = mask == nil ? nil : sources.removeLast()
    images.append(FieldOfView(name: name, channels: sources, mask: maskSource))
  }
  return Grouping(
    images: images, incomplete: incomplete, passedOver: listing.problems + unreachable,
    unmatchedFiles: unmatchedFiles)
}

/// Why the files of one name do not make an image; nil when they do, or lack no files but those of the patterns that are
/// told otherwise.
private func fault(
  in candidates: Candidates, of name: String, _ patterns: [ChannelPattern], except told: Set<Int>
) -> Fault? {
  let missing = patterns.indices.filter { candidates[$0] == nil && !told.contains($0) }
  if !missing.isEmpty {
    let list = missing.map { "\(patterns[$0].role) (\(patterns[$0].pattern))" }.joined(separator: ", ")
    return Fault(
      .missingInput, name, "has no file for \(list)", remedy: "add the file or leave this image out")
  }
  for (index, pattern) in patterns.enumerated() {
    guard let files = candidates[index], files.count > 1 else { continue }
    return Fault(
      .badData, name, expected: "one file for \(pattern.role) (\(pattern.pattern))",
      found: "\(files.count): \(files.prefix(3).joined(separator: ", "))", remedy: "make the pattern narrower"
    )
  }
  return nil
}

private func nothingFound(_ listing: FolderListing, _ folder: String, _ patterns: [ChannelPattern]) -> Fault {
  let wanted = patterns.map { "\($0.pattern) (\($0.role))" }.joined(separator: ", ")
  let there = listing.files.prefix(3).joined(separator: ", ")
  let more = listing.files.count > 3 ? ", ..." : ""
  return Fault(
    .missingInput, folder, expected: "files named \(wanted)",
    found: listing.files.isEmpty ? "no files" : "\(listing.files.count) others: \(there)\(more)",
    remedy: "check the folder, which must hold the masks too, and the patterns")
}

/// Tells the name of the image that a file belongs to.
private struct ImageNamer {
  private let wildcard: Wildcard
  private let folderName: String

  var literalCount: Int { wildcard.literalCount }

  init(_ pattern: ChannelPattern, folder: String) {
    wildcard = Wildcard(pattern.pattern)
    folderName = folder.split(separator: "/").last.map(String.init) ?? folder
  }

  /// nil when the file is not of the pattern.
  func imageName(of file: String) -> String? {
    var parts: [String] = []
    if wildcard.isPath {
      guard let matched = wildcard.match(file) else { return nil }
      parts = matched.map { $0.joined(separator: "_") }
    } else {
      let components = file.split(separator: "/").map(String.init)
      guard let name = components.last, let matched = wildcard.match(name) else { return nil }
      parts = components.dropLast() + [matched.flatMap { $0 }.joined(separator: "_")]
    }
    let name = parts.filter { !$0.isEmpty }.joined(separator: "/")
    return name.isEmpty ? folderName : name
  }
}

extension Grouping {
  /// The images that one file belongs to, and, when there is none, the problems that may say why.
  fileprivate func narrowed(toFile path: String) -> Grouping {
    let own = images.filter { image in
      image.channels.contains { $0.path == path } || image.mask?.path == path
    }
    let isNone = own.isEmpty
    return Grouping(
      images: own, incomplete: isNone ? incomplete : [], passedOver: isNone ? passedOver : [],
      unmatchedFiles: 0)
  }
}
