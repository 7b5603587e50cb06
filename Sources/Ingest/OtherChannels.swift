import Storage

/// Images that a database has by the same names with other channels. As pixels of all channels tell images
/// apart, they are other images to it, and their cells other cells: the two have no row in common.
package struct OtherChannels: Sendable, Equatable {
  package let imageCount: Int
  /// Roles of the channels that the first of these images has in the database.
  package let roles: [String]

  /// - Parameters:
  ///   - roles: the channels that are about to be ingested.
  ///   - names: the images.
  /// - Returns: nil when there are none, or no database yet. An image that is there with both sets of
  ///   channels is none of them.
  package init?(than roles: [String], in path: String, among names: [String]) throws {
    guard Database.exists(at: path) else { return nil }
    let others = try Database(path: path).read { snapshot in
      let field = snapshot.field(named: ImageMetadata.imageField)
      return try names.compactMap { name in
        try field.flatMap { try snapshot.otherChannels(than: Set(roles), ofImagesNamed: name, in: $0) }
      }
    }
    guard let first = others.first else { return nil }
    imageCount = others.count
    self.roles = first
  }
}

extension Snapshot {
  /// Roles of the channels of an image of this name; nil when there is no such image, or one has these roles.
  fileprivate func otherChannels(
    than roles: Set<String>, ofImagesNamed name: String, in field: Field
  ) throws -> [String]? {
    var others: [String]?
    var looked = RowSet()
    for row in try rows(field, equals: name).toArray() where !looked.contains(row) {
      guard let cell = try cell(at: row), let image = try image(cell.image) else { continue }
      for range in image.rows { looked.formUnion(RowSet(range)) }
      // Metadata of imported vectors may name images, too.
      if case .index = cell.object { continue }
      let found = image.files.map(\.role)
      if Set(found) == roles { return nil }
      others = others ?? found.sorted()
    }
    return others
  }
}
