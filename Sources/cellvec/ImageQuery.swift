import Backbone
import Faults
import Identity
import Imaging
import Ingest
import Storage

/// An image that is not in the database, whose cells are embedded as a space's own recipe would embed them.
struct ImageQuery {
  /// The word that stands for the label mask where a role is expected.
  static let maskWord = "mask"

  private let recipe: Recipe
  private let embedder: Embedder
  private let source: FieldOfView

  /// - Parameters:
  ///   - files: the files of the image, each "role=file" or "mask=file"; the role may be left out where there
  ///     is one channel and no mask. "#1" at the end of a file takes its plane 1.
  ///   - backbone: weights to use in place of those that the space names, should they have moved.
  /// - Throws: `usage` when the files are not those that the recipe needs, `missingInput` or `badData` when the
  ///   backbone is not the one that made the space.
  init(
    files: [String], space: SpaceRecord, backbone: String?, registry: ModelRegistry = .standard
  ) throws {
    guard let json = space.recipe, let hash = space.backboneHash else {
      throw Fault(
        .usage, "--image", "space \"\(space.name)\" was imported: nothing says how to embed an image",
        remedy: "give vectors of its cells by the program that made those of the space")
    }
    let whole = try Recipe(canonicalJSON: json, space: space.name)
    source = try ImageQuery.fieldOfView(of: files, recipe: whole)
    recipe = whole.withoutUnusedChannels
    let model = try ImageQuery.model(
      of: space, hash: hash, precision: recipe.precision, at: backbone, in: registry)
    embedder = try recipe.embedder(with: model)
    guard embedder.dimension == space.dimension else {
      throw Fault(
        .badData, "space \"\(space.name)\"",
        expected: "vectors of dimension \(embedder.dimension), as its recipe makes",
        found: "\(space.dimension)", remedy: "run cellvec check")
    }
  }

  /// The backbone that made a space: where an option says, else where the space says, else wherever the registry
  /// has the same weights.
  private static func model(
    of space: SpaceRecord, hash: String, precision: Precision?, at option: String?, in registry: ModelRegistry
  ) throws -> VisionTransformer {
    guard let reference = option ?? space.backbone?.path else {
      throw Fault(.usage, "--backbone", "space \"\(space.name)\" does not say where its backbone is")
    }
    let problem: Fault
    do {
      // A file that has moved has its branches still.
      let branch = try registry.hasModel(named: reference) ? nil : space.backbone?.branch
      let model = try registry.load(reference, branch: branch, precision: precision).model
      if model.hash.description == hash { return model }
      problem = Fault(
        .badData, reference, expected: "the weights that made space \"\(space.name)\" (\(hash))",
        found: model.hash.description, remedy: "name the right ones with --backbone")
    } catch let fault as Fault where fault.kind == .missingInput {
      problem = Fault(
        .missingInput, fault.subject, fault.problem,
        remedy: "name the weights that made space \"\(space.name)\" with --backbone")
    }
    if option == nil, let found = try registry.load(hash: hash, precision: precision) { return found.model }
    throw problem
  }

  /// A query for each of the image's cells.
  /// - Parameter object: the only cell that is wanted, as results name it; nil for all.
  func queries(object: String?, threads: Int) throws -> Queries {
    let image = try embedQueryImage(
      source, recipe: recipe, embedder: embedder, object: object, threads: threads)
    for role in image.blankRoles {
      StandardError.writeLine(
        "warning: --image: all pixels of \(role) are equal, which says nothing of a cell")
    }
    if image.cells.isEmpty {
      StandardError.writeLine(
        "warning: --image: no cell was found in the image")
    }
    return Queries(
      vectors: image.cells.flatMap(\.vector), count: image.cells.count, areNumbered: true,
      objects: image.cells.map(\.cell.name))
  }

  /// The image that these files make, its channels in the order of the recipe's roles. Those that change no vector may be
  /// left out, and are.
  static func fieldOfView(of files: [String], recipe: Recipe) throws -> FieldOfView {
    let mask = recipe.source == .masks ? [maskWord] : []
    let roles = recipe.withoutUnusedChannels.roles
    let wanted = roles + mask
    let usage = wanted.map { "\($0)=file" }.joined(separator: " ")
    var byRole: [String: ChannelSource] = [:]
    for file in files {
      let named = (recipe.roles + mask).first { file.hasPrefix("\($0)=") }
      guard let role = named ?? (wanted.count == 1 ? wanted[0] : nil), byRole[role] == nil else {
        throw Fault(.usage, "--image", expected: usage, found: "\"\(file)\"")
      }
      let path = named == nil ? file : String(file.dropFirst(role.count + 1))
      byRole[role] = ChannelSource(parsing: path, role: role)
    }
    let channels = roles.compactMap { byRole[$0] }
    guard wanted.allSatisfy({ byRole[$0] != nil }), let first = channels.first else {
      let missing = wanted.filter { byRole[$0] == nil }.joined(separator: ", ")
      throw Fault(.usage, "--image", "lacks the file of \(missing)", remedy: "give \(usage)")
    }
    return FieldOfView(name: first.path, channels: channels, mask: byRole[maskWord])
  }
}

extension ChannelSource {
  /// Reads "file" or "file#plane". A "#" that no whole number follows is part of the name.
  fileprivate init(parsing text: String, role: String) {
    if let hash = text.lastIndex(of: "#"), let plane = Int(text[text.index(after: hash)...]), plane >= 0 {
      self.init(role: role, path: String(text[..<hash]), plane: plane)
    } else {
      self.init(role: role, path: text)
    }
  }
}
