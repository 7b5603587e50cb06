/// What one sample is that heads learn from.
package enum SampleUnit: Sendable, Equatable {
  case cell
  /// The cells of an image.
  case image
  /// The cells that share a value of a field, such as those of a protein.
  case field(String)

  /// The word for one cell; a field of this name is no unit.
  package static let cellWord = "cell"

  /// - Parameter name: "cell", "image" or a field.
  package init(_ name: String) {
    self =
      switch name {
      case Self.cellWord: .cell
      case FoldGrouping.imageWord: .image
      default: .field(name)
      }
  }

  package var name: String {
    switch self {
    case .cell: Self.cellWord
    case .image: FoldGrouping.imageWord
    case .field(let name): name
    }
  }

  /// What brings the cells of one sample together; nothing for cells.
  package var grouping: FoldGrouping {
    switch self {
    case .cell: .none
    case .image: .image
    case .field(let name): .field(name)
    }
  }
}
