import ArgumentParser
import Backbone

/// `cellvec models inspect`.
struct InspectModel: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "inspect", abstract: "Show what a model is and which images it expects.",
    discussion: """
      A file that cannot be used is refused with the names of its tensors that are
      missing or unexpected.

      Examples:
        cellvec models inspect model.safetensors
        cellvec models inspect checkpoint.pth --branch student
      """)

  @Argument(
    help: ArgumentHelp("A model's name, or a file of weights: .safetensors, .pth.", valueName: "name|file"),
    completion: .file())
  var file: String
  @OptionGroup var branch: BranchOptions
  @Flag(help: "Write one JSON object.") var json = false

  func run() throws {
    // All of the file is to be looked at.
    let found = try ModelRegistry.standard.withoutCache.load(file, branch: branch.branch)
    let description = try ModelDescription(of: found.model, preset: found.preset)
    if json {
      try StandardOutput.writeJSON(description)
    } else {
      try StandardOutput.write(lines: description.card.lines())
    }
  }
}
