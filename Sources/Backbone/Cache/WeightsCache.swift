package import Faults
import Formats
import FoundationEssentials
import Glibc
import Identity
import Kernels

/// Weights as the kernels read them, kept in files that later loads map into memory: processes share the pages, and
/// nobody packs twice.
///
///     <folder>/<hash>-<precision>-<instruction set>.weights    a `PackedWeightsLayout`
///     <folder>/<hash of a file's identity>.digest              see `FileDigests`
///
/// All of it can be made again, so that nothing here is a fault: what cannot be read, is damaged, of another version or
/// of another user counts as absent, and what cannot be written is left. A file appears under its name complete or not
/// at all, and is never written to again; who has mapped it keeps it when it goes.
///
/// When a file is added, those go that were not used for `maximumAgeDays`, and the ones unused for longest while all
/// together exceed `maximumByteCount`; but none that was used today.
package struct WeightsCache: Sendable {
  package let folder: String

  /// How long files stay that nobody uses.
  package static let maximumAgeDays = 90
  /// What all files may take: weights of some ten models of the size of ViT-B.
  package static let maximumByteCount = 4_000_000_000

  /// Environment variable that names the folder, or is "off".
  package static let variable = "CELLVEC_CACHE"

  package init(folder: String) {
    self.folder = folder
  }

  /// `$CELLVEC_CACHE`, `$XDG_CACHE_HOME/cellvec` or `~/.cache/cellvec`; nil when the first is "off", or the user has no
  /// such place.
  package init?(environment variable: (String) -> String?) {
    let own = variable(Self.variable) ?? ""
    guard own != "off",
      let folder = own.isEmpty ? userFolder("XDG_CACHE_HOME", inHome: ".cache", variable) : own
    else { return nil }
    self.folder = folder
  }

  /// What packed weights are of.
  struct Key: Equatable {
    /// `VisionTransformer.hash`: of the file, and of how it is read.
    let hash: ContentHash
    let precision: Precision
    /// "avx2": panels differ.
    let instructionSet: String

    init(hash: ContentHash, precision: Precision) {
      self.hash = hash
      self.precision = precision
      instructionSet = String(cString: kernels_isa_name(kernels_active_isa()))
    }

    var text: String { "\(hash)-\(precision.rawValue)-\(instructionSet)" }
  }

  var digests: FileDigests { FileDigests(folder: folder) }
}

// MARK: - Finding and keeping weights

extension WeightsCache {
  static let weightsExtension = ".weights"

  func path(of key: Key) -> String { "\(folder)/\(key.text)\(Self.weightsExtension)" }

  /// nil when there are none that are whole.
  func weights(of key: Key) -> PackedWeights? {
    let path = path(of: key)
    guard let file = Self.map(path), let weights = PackedWeights(file, key: key.text) else { return nil }
    Self.touch(path, file.identity)
    return weights
  }

  /// Packs weights into a new file, in the place of one that is damaged, and maps it.
  ///
  /// - Parameters:
  ///   - model: what the model is called, for people.
  ///   - pack: hands over the arrays.
  ///   - isNeeded: asked when all is packed: whether what it was packed from has not changed meanwhile, and nobody else
  ///     has stored it.
  /// - Returns: nil when the file could not be written.
  /// - Throws: what `pack` throws of its own.
  func store(
    _ key: Key, model: String, pack: (inout PackedWeightsWriter) throws -> Void, where isNeeded: () -> Bool
  ) throws -> PackedWeights? {
    guard makeFolder() else { return nil }
    do {
      var writer = try PackedWeightsWriter(path: path(of: key), key: key.text, model: model)
      try pack(&writer)
      try writer.finish(where: isNeeded)
    } catch is PackedWeightsWriter.Failure {
      return nil
    }
    prune()
    return weights(of: key)
  }

  /// A file of the cache; nil when it cannot be opened or mapped, which is no different from none, or is another user's:
  /// in a folder that many can write to, checksums do not tell whose weights a file holds.
  static func map(_ path: String) -> MappedFile? {
    guard let file = try? MappedFile(path: path), file.identity.isOwn else { return nil }
    return file
  }

  private func makeFolder() -> Bool {
    (try? FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])) != nil
  }

  /// Notes that a file was used, once an hour at most: its time of modification is that of its last use.
  static func touch(_ path: String, _ identity: FileIdentity) {
    guard identity.secondsSinceModified > 3600 else { return }
    utimensat(AT_FDCWD, path, nil, 0)
  }
}

// MARK: - Showing and clearing

extension WeightsCache {
  /// Packed weights in the cache.
  package struct Entry: Sendable {
    package let path: String
    /// What the model was called when it was packed; nil when the file cannot be used by this version or this user.
    package let model: String?
    package let hash: String
    package let precision: String
    package let instructionSet: String
    package let byteCount: Int
    /// Whole days since the last use.
    package let unusedDays: Int
  }

  /// All packed weights, the ones used last first.
  package func entries() -> [Entry] {
    files().filter { $0.path.hasSuffix(Self.weightsExtension) }.map { file in
      let name = file.path.split(separator: "/").last?.dropLast(Self.weightsExtension.count) ?? ""
      let words = name.split(separator: "-", maxSplits: 2).map(String.init)
      let mapped = Self.map(file.path)
      let table = mapped.flatMap { PackedWeightsLayout.Table(of: $0.bytes) }
      return Entry(
        path: file.path, model: table?.model, hash: words.first ?? "",
        precision: words.dropFirst().first ?? "", instructionSet: words.dropFirst(2).first ?? "",
        byteCount: file.byteCount, unusedDays: Int(file.unusedSeconds / Self.secondsPerDay))
    }
  }

  /// Whether files can be added, as far as one can tell; true also where the folder is yet to be made.
  package var isWritable: Bool { access(folder, W_OK) == 0 || errno == ENOENT }

  /// Removes all files of the cache, and nothing else that may lie in its folder.
  ///
  /// - Returns: the files and bytes that are gone.
  /// - Throws: `inputOutput` for the first file that cannot be removed.
  package func clear() throws(Fault) -> (fileCount: Int, byteCount: Int) {
    let files = files()
    for file in files {
      guard unlink(file.path) == 0 || errno == ENOENT else { throw Fault.system(file.path, "remove") }
    }
    return (files.count, files.reduce(0) { $0 + $1.byteCount })
  }

  private static let secondsPerDay = 86_400.0

  private struct File {
    let path: String
    let byteCount: Int
    let unusedSeconds: Double
  }

  /// What this program has put into the folder, the file used last first.
  private func files() -> [File] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter(Self.isOurs).compactMap { name in
      let path = "\(folder)/\(name)"
      guard let identity = FileIdentity(path: path) else { return nil }
      return File(
        path: path, byteCount: identity.byteCount,
        unusedSeconds: max(0, identity.secondsSinceModified))
    }
    .sorted { ($0.unusedSeconds, $0.path) < ($1.unusedSeconds, $1.path) }
  }

  /// A digest in hexadecimal begins the name, one of our extensions ends it, or `.partial` behind that.
  private static func isOurs(_ name: String) -> Bool {
    guard ContentHash(String(name.prefix(32))) != nil else { return false }
    let kinds = [weightsExtension, FileDigests.fileExtension]
    return kinds.contains { kind in
      name.hasSuffix(kind) || name.hasSuffix(".partial") && name.contains("\(kind).")
    }
  }

  /// Removes what is old or too much.
  private func prune() {
    var total = 0
    for file in files() {
      total += file.byteCount
      let isPartial = file.path.hasSuffix(".partial")
      let isTooMuch = total > Self.maximumByteCount || isPartial
      let days = file.unusedSeconds / Self.secondsPerDay
      if days > Double(Self.maximumAgeDays) || isTooMuch && days > 1 { unlink(file.path) }
    }
  }
}
