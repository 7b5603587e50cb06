import ArgumentParser
import Backbone
import Faults
import Ingest

/// `cellvec models add`.
struct AddModel: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Give a file of weights a name that --backbone takes.",
    discussion: """
      The file is copied, with the config.json and preprocessor_config.json beside it,
      to cellvec/models in $XDG_DATA_HOME or ~/.local/share, and must load.

      Example:
        cellvec models add hpa DINO_FOV_checkpoint.pth --preset hpa-fov-dino4cells
      """)

  @Argument(help: "Name of the model.") var name: String
  @Argument(help: ArgumentHelp("File of weights: .safetensors, .pth.", valueName: "file")) var file: String
  @OptionGroup var branch: BranchOptions
  @Option(help: ArgumentHelp("Preset that goes with the model.", valueName: "name")) var preset: String?
  @Option(
    help: ArgumentHelp(
      "Roles of the inputs, separated by commas; default: what the file says.", valueName: "roles"))
  var inputs: String?
  @OptionGroup var talk: TalkOptions

  func run() throws {
    if let preset { _ = try Preset.named(preset) }
    let entry = try ModelRegistry.standard.add(
      name, path: file, branch: branch.branch, inputs: inputs.map { names(in: $0) }, preset: preset)
    talk.say(
      "added \(name): \(entry.architecture), \(entry.parameters) parameters; use it with --backbone \(name)")
  }
}

/// `cellvec models remove`.
struct RemoveModel: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Remove a model that was added.",
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
