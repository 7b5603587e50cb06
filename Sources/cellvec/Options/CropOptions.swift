import ArgumentParser
import Faults
import Imaging

/// Which cells images have, and how the pixels around each become a square of numbers. Needs no model.
struct CropOptions: ParsableArguments {
  @Option(
    name: .customLong("cells"),
    help: ArgumentHelp(
      "What cells are: 'whole' images (default), masks='*_mask.png', or detected 'nuclei'.",
      valueName: "source"))
  private var chosenCells: String?

  @Option(
    help: ArgumentHelp(
      "Typical nucleus diameter for --cells nuclei; estimated by default.", valueName: "px",
      visibility: .hidden))
  var nucleusDiameter: Double?

  @Option(help: ArgumentHelp("Channel in which nuclei are detected.", valueName: "role", visibility: .hidden))
  var segmentOn = "nucleus"

  @Option(help: ArgumentHelp("Side of the square around a cell, in image pixels.", valueName: "px"))
  var crop: Int?

  @Option(
    help: ArgumentHelp(
      "Side of the model's input; by default the size that the model was trained on.", valueName: "px",
      visibility: .hidden))
  var inputSize: Int?

  @Flag(inversion: .prefixedNo, help: ArgumentHelp("Blank the pixels outside the cell.", visibility: .hidden))
  var zeroBackground: Bool?

  @Option(
    help: ArgumentHelp("Cells at the image's border: pad or drop.", valueName: "rule", visibility: .hidden))
  var border: BorderRule = .pad

  @Option(help: ArgumentHelp("Leave out objects with fewer pixels.", valueName: "px", visibility: .hidden))
  var minArea = 0

  @Option(
    help: ArgumentHelp(
      "Intensities: self (mean 0, SD 1 in each channel), minmax, minmax-joint (channels together), percentile, range, imagenet, fixed (mean and SD of each input by the model's files); default: by the model, else self.",
      valueName: "rule", visibility: .hidden))
  var normalize: Normalization?

  @Option(
    help: ArgumentHelp(
      "Pixels that --normalize looks at: crop (those of the cell or image in it), square (blanked ones too), image; default crop.",
      valueName: "pixels", visibility: .hidden))
  var normalizeOver: NormalizationScope?

  private var cells: String { chosenCells ?? "whole" }

  /// What to say where nobody has said what cells are.
  var adviceOnCells: String? {
    chosenCells == nil
      ? "each image is one cell; to have those in it, give --cells masks='*_mask.png' or --cells nuclei" : nil
  }

  /// The pattern of the mask files; nil when cells do not come from masks.
  var maskPattern: String? {
    cells.hasPrefix("masks=") ? String(cells.dropFirst("masks=".count)) : nil
  }

  /// - Throws: `usage` when --cells is none of its words.
  func source() throws -> CellSource {
    switch cells {
    case "whole": return .whole
    case "nuclei": return .nuclei(NucleusSegmentation(diameterPx: nucleusDiameter ?? 0))
    case _ where maskPattern?.isEmpty == false: return .masks
    default:
      throw Fault(
        .usage, "--cells", expected: "whole, masks='*_mask.png' or nuclei", found: "\"\(cells)\"")
    }
  }

  /// The way from a cell to its square: `base`, but for what the options say.
  func recipe(over base: CropRecipe) -> CropRecipe {
    var recipe = base
    if let crop { recipe.cropSizePx = crop }
    if let inputSize { recipe.outputSizePx = inputSize }
    if let zeroBackground { recipe.zeroBackground = zeroBackground }
    recipe.border = border
    recipe.minAreaPx = minArea
    if let normalize {
      recipe.normalization = normalize
      if !normalize.usesStatistics { recipe.normalizationScope = .crop }
    }
    if let normalizeOver { recipe.normalizationScope = normalizeOver }
    return recipe
  }
}

extension BorderRule: ExpressibleByArgument {}
extension Normalization: ExpressibleByArgument {}
extension NormalizationScope: ExpressibleByArgument {}
