/// The named LMDB databases of the environment. Keys and values of each: schema/store.md.
enum Table: Int, CaseIterable, Sendable {
  case header
  case fields
  case texts
  case textIDs
  case spaces
  case images
  case imageIDs
  case outcomes
  case cells
  case vectors
  case sets
  case numbers
  case heads
  case indexes
  case codes
  case coarse

  /// In the file. Spelled out: a case's own name is made anew, slowly, each time, and a snapshot asks for all of them.
  var name: String {
    switch self {
    case .header: "header"
    case .fields: "fields"
    case .texts: "texts"
    case .textIDs: "text_ids"
    case .spaces: "spaces"
    case .images: "images"
    case .imageIDs: "image_ids"
    case .outcomes: "outcomes"
    case .cells: "cells"
    case .vectors: "vectors"
    case .sets: "sets"
    case .numbers: "numbers"
    case .heads: "heads"
    case .indexes: "indexes"
    case .codes: "codes"
    case .coarse: "coarse"
    }
  }

  /// Whether records of the table follow from those of others. In "sets" those of spaces do not.
  var isDerived: Bool {
    switch self {
    case .textIDs, .imageIDs, .sets, .numbers, .indexes, .codes, .coarse: true
    default: false
    }
  }

  /// Whether databases may lack the table, because it was added after the first of them were written.
  var isOptional: Bool { self == .indexes || self == .codes || self == .coarse }
}
