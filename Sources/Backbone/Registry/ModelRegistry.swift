import Faults
import Formats
import FoundationEssentials
import Glibc
import Identity

/// The models that have names: the bundled one, and those that were added, each a folder with its weights.
///
///     <folder>/<name>/weights.safetensors    the file that was added, under its own extension;
///     <folder>/<name>/weights.index.json     or the index of several, which keep their names
///     <folder>/<name>/config.json            those that lay beside it, if any;
///     <folder>/<name>/preprocessor_config.json
///     <folder>/<name>/card.md                the text about the model that lay beside it, if any
///     <folder>/<name>/model.json             the entry
///
/// A model's folder appears and goes whole, by renaming.
package struct ModelRegistry: Sendable {
  /// Where added models are; nil when the user has no such place.
  package let folder: String?
  /// Where `load` finds and keeps packed weights; nil for nowhere.
  package let cache: WeightsCache?

  package init(folder: String?, cache: WeightsCache? = nil) {
    self.folder = folder
    self.cache = cache
  }

  /// `$XDG_DATA_HOME/cellvec/models`, or `~/.local/share/cellvec/models`; with the cache of the same environment.
  package init(environment variable: (String) -> String?) {
    cache = WeightsCache(environment: variable)
    folder = userFolder("XDG_DATA_HOME", inHome: ".local/share", variable).map { $0 + "/models" }
  }

  /// The same models, read from their files whatever is in the cache.
  package var withoutCache: ModelRegistry { ModelRegistry(folder: folder) }

  /// A model that a name or path stood for.
  package struct Found: Sendable {
    package let model: VisionTransformer
    /// Whether a name of the registry led to it, and not a path.
    package let isNamed: Bool
    /// The preset that it was added with.
    package let preset: String?
  }

  /// All models, the bundled one first, then by name.
  package func entries() throws -> [ModelEntry] {
    let file = try BundledModel.file()
    let bundled = ModelEntry(
      try BundledModel.load(precision: nil, cache: cache), byteCount: file.byteCount, preset: "cellvec",
      origin: nil)
    return try [bundled] + addedNames().map { try entry(of: $0) }
  }

  /// Whether a name stands for a model here; it goes before a file of the same name.
  package func hasModel(named name: String) throws -> Bool {
    try name == BundledModel.name || addedNames().contains(name)
  }

  /// The model that a name stands for, or else the file at a path. What has a slash is a path.
  /// - Parameters:
  ///   - branch: the wanted one of several models in a file; nil for the usual one. Models with names were added
  ///     with theirs.
  ///   - precision: the numbers that the model is to multiply; nil for the fastest that stays close to float32.
  /// - Throws: `missingInput` when it is neither, with the name that was probably meant; `usage` for the branch of a
  ///   name; faults of the file.
  package func load(
    _ nameOrPath: String, branch: String? = nil, precision: Precision? = .float32
  ) throws -> Found {
    if try hasModel(named: nameOrPath) {
      guard branch == nil else {
        throw Fault(
          .usage, "--branch", "model \"\(nameOrPath)\" is one branch of a file already",
          remedy:
            "leave it out, or add the other one under a name of its own: cellvec models add NAME FILE --branch"
        )
      }
      if nameOrPath != BundledModel.name { return try loadAdded(nameOrPath, precision) }
      return Found(
        model: try BundledModel.load(precision: precision, cache: cache), isNamed: true, preset: nil)
    }
    var status = stat()
    guard nameOrPath.contains("/") || stat(nameOrPath, &status) == 0 else {
      let names = [BundledModel.name] + (try addedNames())
      throw Fault(
        .missingInput, "backbone \"\(nameOrPath)\"", "is neither a model's name nor a file",
        remedy: adviceOnUnknownName("model", nameOrPath, among: names))
    }
    return Found(
      model: try VisionTransformer(path: nameOrPath, branch: branch, precision: precision, cache: cache),
      isNamed: false, preset: nil)
  }

  /// The model whose weights have this digest; nil when there is none.
  package func load(hash: String, precision: Precision? = .float32) throws -> Found? {
    // The bundled file has one model and nothing beside it, so that its digest is the model's.
    let names = try BundledModel.file().digest().description == hash ? [BundledModel.name] : addedNames()
    let name = try names.first { try $0 == BundledModel.name || entry(of: $0).hash == hash }
    return try name.map { try load($0, precision: precision) }
  }

  /// The text that describes a model, in Markdown.
  /// - Throws: `missingInput` for an unknown name, or a model without such a text.
  package func card(of name: String) throws -> String {
    if name == BundledModel.name { return BundledModel.card }
    let added = try addedNames()
    guard added.contains(name) else {
      throw Fault.unknownName(.missingInput, "model", name, among: [BundledModel.name] + added)
    }
    if let text = FileManager.default.contents(atPath: cardPath(of: name)) {
      return String(decoding: text, as: UTF8.self)
    }
    throw Fault(
      .missingInput, "model \"\(name)\"", "has no card: no text lay beside its file when it was added",
      remedy: "cellvec models inspect \(name) shows what its file says")
  }

  /// Whether a text came with an added model.
  package func hasCard(_ name: String) -> Bool { FileManager.default.fileExists(atPath: cardPath(of: name)) }

  private func loadAdded(_ name: String, _ precision: Precision?) throws -> Found {
    let entry = try entry(of: name)
    let model = try VisionTransformer(
      path: weightsPath(of: name), branch: entry.branch, name: name, inputRoles: entry.inputs,
      precision: precision, cache: cache)
    guard model.hash.description == entry.hash else {
      throw Fault(
        .badData, "model \(name)", expected: "the weights that were added (\(entry.hash))",
        found: "\(model.hash)", remedy: "remove the model and add it again")
    }
    return Found(model: model, isNamed: true, preset: entry.preset)
  }
}

// MARK: - Adding and removing

extension ModelRegistry {
  /// Copies a file of weights, or all files of a model, and the configurations and the card beside it, into
  /// the registry.
  /// - Parameters:
  ///   - branch: the wanted one of several models in the file; nil for the usual one.
  ///   - inputs: what each input is meant for, over what the file says.
  ///   - preset: the preset that goes with the model; whether there is such a preset is up to `check`.
  ///   - check: looks at the model before it is added, and throws what speaks against it.
  /// - Throws: `usage` for a name that is taken or cannot be one, faults of a file that is no backbone.
  package func add(
    _ name: String, path: String, branch: String? = nil, inputs: [String]? = nil, preset: String? = nil,
    check: (VisionTransformer) throws -> Void = { _ in }
  ) throws -> ModelEntry {
    try checkNewName(name)
    let folder = try makeFolder()
    let partial = "\(folder)/.\(name).\(String(UInt64.random(in: 0...UInt64.max), radix: 36)).partial"
    guard mkdir(partial, 0o777) == 0 else { throw Fault.system(partial, "create") }
    do {
      let file = try openTensorFile(path: path, branch: branch)
      let weights = try Self.copyWeights(file, from: path, to: partial)
      for name in Self.companions {
        try Self.copy(Self.folder(of: path) + name, to: "\(partial)/\(name)")
      }
      if let card = Self.cards(besideWeights: path).first(where: FileManager.default.fileExists) {
        try Self.copy(card, to: "\(partial)/\(Self.cardName)")
      }
      let model: VisionTransformer
      do {
        model = try VisionTransformer(path: weights, branch: branch, name: name, inputRoles: inputs)
        try model.trainingInput.check(.inputs)
        try check(model)
      } catch let fault as Fault {
        // The user knows the files by their own names.
        func renamed(_ text: String) -> String {
          text.replacing(weights, with: path).replacing("\(partial)/", with: Self.folder(of: path))
        }
        throw Fault(
          fault.kind, renamed(fault.subject), renamed(fault.problem), remedy: renamed(fault.remedy))
      }
      let origin = realpath(path, nil).map { resolved in
        defer { free(resolved) }
        return String(cString: resolved)
      }
      let entry = ModelEntry(model, byteCount: file.byteCount, preset: preset, origin: origin ?? path)
      try Array(canonicalJSON(entry).utf8).withUnsafeBytes {
        try Self.write($0, to: "\(partial)/\(Self.entryName)")
      }
      guard rename(partial, "\(folder)/\(name)") == 0 else {
        throw errno == ENOTEMPTY || errno == EEXIST ? Self.taken(name) : Fault.system(name, "move into place")
      }
      return entry
    } catch {
      try? FileManager.default.removeItem(atPath: partial)
      throw error
    }
  }

  /// - Throws: `missingInput` when there is no such model, `usage` for the bundled one.
  package func remove(_ name: String) throws {
    guard name != BundledModel.name else {
      throw Fault(.usage, "model \"\(name)\"", "is part of the program and cannot be removed")
    }
    let added = try addedNames()
    guard added.contains(name), let folder else {
      throw Fault.unknownName(.missingInput, "model", name, among: added)
    }
    let partial = "\(folder)/.\(name).\(String(UInt64.random(in: 0...UInt64.max), radix: 36)).partial"
    guard rename("\(folder)/\(name)", partial) == 0 else { throw Fault.system("\(folder)/\(name)", "remove") }
    do {
      try FileManager.default.removeItem(atPath: partial)
    } catch {
      throw Fault(.inputOutput, partial, "cannot be removed: \(error)", remedy: "remove it by hand")
    }
  }

  private func checkNewName(_ name: String) throws {
    let isPlain = name.utf8.allSatisfy { byte in
      UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
        || [UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ".")].contains(byte)
    }
    guard isPlain, !name.isEmpty, name.utf8.count <= 100, !name.hasPrefix("."), !name.hasPrefix("-") else {
      throw Fault(
        .usage, "model \"\(name)\"", "cannot be a name",
        remedy: "use up to 100 letters, digits, '-', '_' and '.', beginning with a letter or digit")
    }
    if try name == BundledModel.name || addedNames().contains(name) { throw Self.taken(name) }
  }

  private static func taken(_ name: String) -> Fault {
    Fault(
      .usage, "model \"\(name)\"", "exists already",
      remedy: name == BundledModel.name
        ? "give another name" : "give another name, or remove it first: cellvec models remove \(name)")
  }
}

// MARK: - Files

extension ModelRegistry {
  private static let entryName = "model.json"

  private static let cardName = "card.md"

  private static let indexName = "weights.index.json"

  /// Files beside the weights that say how to read or feed them, as Hugging Face names them.
  private static let companions = ["config.json", "preprocessor_config.json"]

  /// Where a text about a model may lie, the likelier place first: NAME.md beside NAME.pth, and README.md
  /// where a config.json says that the folder is the model's.
  private static func cards(besideWeights path: String) -> [String] {
    let folder = folder(of: path)
    let isOfModel = FileManager.default.fileExists(atPath: folder + companions[0])
    return ["\(folder)\(ModelName.stem(ofWeights: path)).md"] + (isOfModel ? [folder + "README.md"] : [])
  }

  /// The copy that an added model has of its card.
  private func cardPath(of name: String) -> String { "\(folder ?? "")/\(name)/\(Self.cardName)" }

  /// Folders of models, by name. What begins with a dot is being added or removed.
  private func addedNames() throws -> [String] {
    guard let folder else { return [] }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    var status = stat()
    return names.filter { !$0.hasPrefix(".") && stat("\(folder)/\($0)/\(Self.entryName)", &status) == 0 }
      .sorted()
  }

  private func entry(of name: String) throws -> ModelEntry {
    try ModelEntry(path: "\(folder ?? "")/\(name)/\(Self.entryName)")
  }

  private func weightsPath(of name: String) throws -> String {
    let home = "\(folder ?? "")/\(name)"
    let files = (try? FileManager.default.contentsOfDirectory(atPath: home)) ?? []
    // One of the files that an index names may be called like a model of one file.
    guard
      let weights = files.first(where: { $0 == Self.indexName })
        ?? files.first(where: { $0 == "weights" || $0.hasPrefix("weights.") })
    else {
      throw Fault(
        .badData, "model \(name)", "has lost its weights in \(home)",
        remedy: "remove the model and add it again")
    }
    return "\(home)/\(weights)"
  }

  private func makeFolder() throws -> String {
    guard let folder else {
      throw Fault(
        .cannotCreate, "the registry of models", "has no place: neither XDG_DATA_HOME nor HOME is set",
        remedy: "set one of them, or use the file itself with --backbone")
    }
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw Fault(
        .cannotCreate, folder, "cannot be made", remedy: "check the permissions of the folders above")
    }
    return folder
  }

  /// Copies what `openTensorFile(path:)` has opened; returns the path that opens the copy.
  private static func copyWeights(_ file: any TensorFile, from path: String, to folder: String) throws
    -> String
  {
    guard let index = shardIndexPath(of: path) else {
      let weights = "\(folder)/weights\(fileExtension(of: path))"
      for part in file.files { try part.bytes.withUnsafeBytes { try write($0, to: weights) } }
      return weights
    }
    for part in file.files {
      let name = part.path.split(separator: "/").last ?? ""
      try part.bytes.withUnsafeBytes { try write($0, to: "\(folder)/\(name)") }
    }
    try copy(index, to: "\(folder)/\(indexName)")
    return "\(folder)/\(indexName)"
  }

  /// Copies a small file, where there is one.
  private static func copy(_ path: String, to copy: String) throws {
    guard let text = FileManager.default.contents(atPath: path) else { return }
    try text.withUnsafeBytes { try write($0, to: copy) }
  }

  private static func write(_ bytes: UnsafeRawBufferPointer, to path: String) throws {
    var file = try AtomicFile(path: path)
    try file.write(bytes)
    try file.commit()
  }

  private static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
  }

  /// ".safetensors", or nothing.
  private static func fileExtension(of path: String) -> String {
    let last = path.split(separator: "/").last ?? ""
    return last.lastIndex(of: ".").map { String(last[$0...]) } ?? ""
  }
}
