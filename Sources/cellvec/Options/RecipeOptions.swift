import ArgumentParser
import Backbone
import Faults
import Imaging
import Ingest

/// How the pixels of a cell become a model's input.
struct RecipeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What the cells are: 'whole' images, objects of masks='*_mask.png', or detected 'nuclei'.",
      valueName: "source"))
  var cells = "whole"

  @Option(
    help: ArgumentHelp("Typical nucleus diameter for --cells nuclei; estimated by default.", valueName: "px"))
  var nucleusDiameter: Double?

  @Option(help: ArgumentHelp("Channel in which nuclei are detected.", valueName: "role"))
  var segmentOn = "nucleus"

  @Option(help: ArgumentHelp("Side of the square cut out around a cell, in image pixels.", valueName: "px"))
  var crop: Int?

  @Option(
    help: ArgumentHelp(
      "Side of the model's input; by default the size that the model was trained on.", valueName: "px"))
  var inputSize: Int?

  @Flag(help: "Blank the pixels outside the cell.")
  var zeroBackground = false

  @Option(help: ArgumentHelp("Cells at the image's border: pad or drop.", valueName: "rule"))
  var border: BorderRule = .pad

  @Option(help: ArgumentHelp("Leave out objects with fewer pixels.", valueName: "px"))
  var minArea = 0

  @Option(
    help: ArgumentHelp(
      "Intensities: self (mean 0, SD 1 in each crop and channel), minmax, percentile, range.",
      valueName: "rule"))
  var normalize: Normalization = .selfStandardize

  @Option(
    help: ArgumentHelp(
      "Channels to model inputs: map (by role, one pass) or replicate (each alone, joined).",
      valueName: "name"))
  var strategy = "map"

  @Option(
    name: .customLong("map"), parsing: .upToNextOption,
    help: ArgumentHelp(
      "For strategy map: role=input for each channel, inputs from 0; by default by the model's own names.",
      valueName: "role=input"))
  var assignments: [String] = []

  /// The pattern of the mask files; nil when cells do not come from masks.
  var maskPattern: String? {
    cells.hasPrefix("masks=") ? String(cells.dropFirst("masks=".count)) : nil
  }

  func recipe(roles: [String], backbone: VisionTransformer) throws -> Recipe {
    return Recipe(
      source: try source(), segmentationRole: segmentOn,
      crop: CropRecipe(
        cropSizePx: crop, outputSizePx: inputSize ?? backbone.defaultImageSizePx,
        zeroBackground: zeroBackground,
        border: border,
        minAreaPx: minArea, normalization: normalize),
      strategy: try channelStrategy(roles: roles.sorted(), backbone: backbone), roles: roles)
  }

  private func source() throws -> CellSource {
    switch cells {
    case "whole": return .whole
    case "nuclei": return .nuclei(NucleusSegmentation(diameterPx: nucleusDiameter ?? 0))
    case _ where maskPattern?.isEmpty == false: return .masks
    default:
      throw Fault(
        .usage, "--cells", expected: "whole, masks='*_mask.png' or nuclei", found: "\"\(cells)\"")
    }
  }

  private func channelStrategy(roles: [String], backbone: VisionTransformer) throws -> ChannelStrategy {
    switch strategy {
    case "replicate": return .replicate
    case "map" where assignments.isEmpty:
      return try Embedder.defaultMap(backbone: backbone, roles: roles)
    case "map":
      var inputs = [String?](repeating: nil, count: backbone.geometry.inputChannels)
      for assignment in assignments {
        let parts = assignment.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let input = Int(parts[1]), inputs.indices.contains(input) else {
          throw Fault(
            .usage, "--map", expected: "role=input with an input of 0 to \(inputs.count - 1)",
            found: "\"\(assignment)\"")
        }
        if let other = inputs[input] {
          throw Fault(
            .usage, "--map", "sends both \(other) and \(parts[0]) to input \(input)",
            remedy: "give every input one channel at most")
        }
        inputs[input] = String(parts[0])
      }
      if let unused = roles.first(where: { !inputs.contains($0) }) {
        throw Fault(
          .usage, "--map", "leaves channel \(unused) unused",
          remedy: "map it to an input, or leave it out of --channels")
      }
      return .map(inputs)
    default:
      throw Fault(.usage, "--strategy", expected: "map or replicate", found: "\"\(strategy)\"")
    }
  }
}

extension BorderRule: ExpressibleByArgument {}
extension Normalization: ExpressibleByArgument {}
