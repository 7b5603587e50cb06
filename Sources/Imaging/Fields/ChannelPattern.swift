import Faults

/// Which files hold a channel: `protein=*_green.png`, or `nucleus=*.tif#0` for plane 0 of each file.
///
/// `*` stands for any run of characters without "/", `?` for one. A pattern without "/" is compared with the
/// file's name, in the folder and all folders below it; a pattern with "/" with the file's path from the folder.
/// Files whose patterns give the same *name* belong to one image:
/// - without "/", the name is the file's folder and what the wildcards matched: `*_green.png` makes
///   `day2/A01_green.png` a channel of `day2/A01`;
/// - with "/", it is what the wildcards matched: `green/*.png` makes `green/A01.png` a channel of `A01`, and
///   `*/green/*.png` makes `day2/green/A01.png` one of `day2/A01`.
///
/// What several runs of wildcards matched in one file name or folder name is joined by "_". A name that would be
/// empty is the folder's own.
package struct ChannelPattern: Sendable, Equatable {
  /// What the channel shows: "protein", "nucleus", ...
  package let role: String
  package let pattern: String
  /// The plane of the file, from 0; nil for files that have one plane only.
  package let plane: Int?

  /// - Throws: `usage` when the pattern is empty or not relative.
  package init(role: String, pattern: String, plane: Int? = nil) throws {
    guard !pattern.isEmpty, !pattern.hasPrefix("/"), !pattern.hasSuffix("/") else {
      throw Fault(
        .usage, "channel \(role)", expected: "a file name pattern", found: "\"\(pattern)\"",
        remedy: "give it relative to the image folder, such as *_\(role).png")
    }
    self.role = role
    self.pattern = pattern.hasPrefix("./") ? String(pattern.dropFirst(2)) : pattern
    self.plane = plane
  }

  /// Reads `role=pattern` or `role=pattern#plane`.
  /// - Throws: `usage` when it is not of that form.
  package init(parsing text: String) throws {
    guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
      throw Fault(
        .usage, text, expected: "role=pattern", found: text.isEmpty ? "nothing" : "no role",
        remedy: "write it like protein=*_green.png")
    }
    try self.init(role: String(text[..<equals]), parsing: text[text.index(after: equals)...])
  }

  /// Reads `pattern` or `pattern#plane`. A "#" that no whole number follows is part of the pattern.
  init(role: String, parsing text: Substring) throws {
    if let hash = text.lastIndex(of: "#"), let plane = Int(text[text.index(after: hash)...]), plane >= 0 {
      try self.init(role: role, pattern: String(text[..<hash]), plane: plane)
    } else {
      try self.init(role: role, pattern: String(text))
    }
  }
}
