import ArgumentParser
import Backbone
import Faults
import Ingest

/// `cellvec models add`.
struct AddModel: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "add", abstract: "Give a file of weights a name that --backbone takes.",
    usage: "cellvec models add <name> <file> [<options>]",
    discussion: """
      The file is copied to cellvec/models in $XDG_DATA_HOME or ~/.local/share, and
      must load: of a model over several files all of them, with the config.json and
      preprocessor_config.json beside it, and the text about it: NAME.md beside
      NAME.pth, or the README.md beside a config.json.

      Examples:
        cellvec models add hpa DINO_FOV_checkpoint.pth --preset hpa-fov-dino4cells
        cellvec models add large dinov2-large/model.safetensors.index.json
      """)

  @Argument(help: "Name of the model.") var name: String
  @Argument(
    help: ArgumentHelp("File of weights: .safetensors, .pth.", valueName: "file"),
    completion: .file()) var file: String
  @OptionGroup var branch: BranchOptions
  @Option(help: ArgumentHelp("Preset that goes with the model.", valueName: "name")) var preset: String?
  @Option(
    help: ArgumentHelp(
      "Roles of the inputs, separated by commas; default: what the file says.", valueName: "roles"))
  var inputs: String?
  @OptionGroup var talk: TalkOptions

  func run() throws {
    let known = try preset.map { try Preset.named($0) }
    var unusable: Fault?
    let registry = ModelRegistry.standard
    let entry = try registry.add(
      name, path: file, branch: branch.branch, inputs: inputs.map { names(in: $0) }, preset: preset
    ) { model in
      try known?.check(fits: model)
      do {
        _ = try RecipeDefaults(for: model, preset: known)
      } catch let fault as Fault {
        unusable = fault
      }
    }
    // Options of ingest can take the place of metadata that are of no use.
    if let unusable { talk.say("warning: \(unusable)") }
    talk.say(
      "added \(name): \(entry.architecture), \(entry.parameters) parameters; use it with --backbone \(name)")
    if registry.hasCard(name) { talk.say("what its card says: cellvec models card \(name)") }
  }
}

/// `cellvec models remove`.
struct RemoveModel: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "remove", abstract: "Remove a model that was added.",
    discussion: """
      Databases keep their vectors; searching them with --image needs the weights.
      """)

  @Argument(help: "Name of the model.") var name: String
  @OptionGroup var talk: TalkOptions

  func run() throws {
    try ModelRegistry.standard.remove(name)
    talk.say("removed \(name)")
  }
}
