import ArgumentParser

/// Refuses the name of a file to be written that does not end as files of its format do: other programs go by it.
/// - Parameters:
///   - endings: such as ".csv", in any case.
///   - path: nil for an option that was not given.
func requireEnding(of path: String?, among endings: [String], option: String) throws {
  guard let path, !endings.contains(where: path.lowercased().hasSuffix) else { return }
  throw ValidationError(
    "\(option): expected a name that ends in \(endings.joined(separator: " or ")), found \"\(path)\"")
}

/// The endings of tables, which `CSVWriter` writes by them.
let tableEndings = [".csv", ".tsv", ".tab"]
