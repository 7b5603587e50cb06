import Glibc

/// Where weights are: a file, and of a PyTorch checkpoint with several models the one that is wanted:
///
///     run1/checkpoint.pth#student
package struct WeightsReference: Sendable, Equatable {
  package let path: String
  /// The key of the wanted model; nil for the usual one (see `PyTorchFile`).
  package let branch: String?

  /// Takes a text apart. A "#" in the name of a file that exists is part of the name.
  package init(_ text: String) {
    guard !Self.exists(text), let mark = text.lastIndex(of: "#"), mark != text.startIndex else {
      (path, branch) = (text, nil)
      return
    }
    let branch = text[text.index(after: mark)...]
    (path, self.branch) = branch.isEmpty ? (text, nil) : (String(text[..<mark]), String(branch))
  }

  /// Whether there is such a file.
  var exists: Bool { Self.exists(path) }

  /// The text that leads to the same weights when the file is called by this path.
  package func text(path: String) -> String { branch.map { "\(path)#\($0)" } ?? path }

  private static func exists(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0
  }
}
