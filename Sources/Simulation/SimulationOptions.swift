package import Faults
import Formats
import FoundationEssentials

/// What to simulate; the defaults are the set that the documentation speaks of.
package struct SimulationOptions: Sendable {
  /// Fields in all.
  package var fieldCount = 96
  /// Fields of one gene, by turns of one cell line and the other.
  package var fieldsPerGene = 2
  /// Cells in a field on average; fewer where they do not fit.
  package var cellsPerField = 12
  /// Width and height of a field.
  package var sizePx = 512
  package var seed: UInt64 = 1
  /// Draw every location into every cell, an image each, instead of one gene's mixture. Mixing them by other
  /// shares makes any number of proteins out of the same cells.
  package var isLayered = false
  /// Fields drawn at once; the files do not depend on it.
  package var threadCount = 1

  package init() {}

  package var geneCount: Int { (fieldCount + fieldsPerGene - 1) / fieldsPerGene }

  /// The mean radius that makes cells cover two fifths of a field.
  var cellRadiusPx: Double {
    0.36 * Double(sizePx) / Double(cellsPerField).squareRoot()
  }

  /// - Throws: a usage fault that names the option.
  package func validate() throws(Fault) {
    try require("fields", fieldCount, in: 1...100_000)
    try require("fields per gene", fieldsPerGene, in: 1...1000)
    try require("cells per field", cellsPerField, in: 1...1000)
    try require("field size", sizePx, in: 32...4096)
    try require("threads", threadCount, in: 1...1024)
    // Below, structures are thinner than the pixels that show them; above, drawing takes minutes a field.
    guard (8...256).contains(cellRadiusPx) else {
      throw Fault(
        .usage, "cells per field", expected: "cells of a radius of 8 to 256 pixels",
        found: "\(cellsPerField) cells in \(sizePx) x \(sizePx) pixels",
        remedy: cellRadiusPx < 8
          ? "ask for fewer cells or a larger field" : "ask for more cells or a smaller field")
    }
  }

  private func require(_ name: String, _ value: Int, in range: ClosedRange<Int>) throws(Fault) {
    guard range.contains(value) else {
      throw Fault(.usage, name, expected: "\(range.lowerBound) to \(range.upperBound)", found: "\(value)")
    }
  }
}

// MARK: Options in a file

/// What decides the bytes that are written: all but the number of threads.
extension SimulationOptions: Codable {
  private enum CodingKeys: String, CodingKey {
    case fieldCount, fieldsPerGene, cellsPerField, sizePx, seed, isLayered
  }

  /// The options as canonical JSON.
  func document() throws -> String { try canonicalJSON(self) }

  /// nil for a text that is none of options within their ranges.
  init?(document: String) {
    guard let options = try? JSONDecoder().decode(Self.self, from: Data(document.utf8)),
      (try? options.validate()) != nil
    else { return nil }
    self = options
  }
}

/// What a simulation wrote.
package struct SimulationSummary: Sendable, Equatable {
  package let fieldCount: Int
  package let geneCount: Int
  package let cellCount: Int
}
