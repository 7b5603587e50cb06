import Formats
import FoundationEssentials
import Glibc

/// What a file of weights is called when nobody gives it a name.
enum ModelName {
  /// Names that any model's file may have. The folder says whose it is.
  private static let generic: Set<Substring> = ["model", "pytorch_model", "checkpoint", "weights"]

  /// The file's name without folder and extension, or for names such as `model.safetensors` and `pytorch_model.bin`
  /// that of its folder.
  static func of(weights path: String) -> String {
    let stem = stem(ofWeights: path)
    return generic.contains(stem[...]) ? folderName(of: path) ?? stem : stem
  }

  /// The file's name without folder and extension. Files that make a model together, and their index, have
  /// one: "model" of `model-00001-of-00003.safetensors` and of `model.safetensors.index.json`.
  static func stem(ofWeights path: String) -> String {
    let file = shardIndexPath(of: path)?.dropLast(".index.json".count) ?? path[...]
    let last = file.split(separator: "/").last ?? ""
    return String(last.lastIndex(of: ".").flatMap { $0 == last.startIndex ? nil : last[..<$0] } ?? last)
  }

  /// nil for the root of the file system, and for a folder that does not exist.
  private static func folderName(of path: String) -> String? {
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    guard let resolved = realpath(folder, nil) else { return nil }
    defer { free(resolved) }
    let folders = String(cString: resolved).split(separator: "/")
    // The cache of Hugging Face: models--facebook--dinov2-small/snapshots/<commit>
    if folders.count >= 3, folders[folders.count - 2] == "snapshots" {
      let repository = folders[folders.count - 3].split(separator: "--")
      if repository.first == "models", let name = repository.last { return String(name) }
    }
    return folders.last.map(String.init)
  }
}
