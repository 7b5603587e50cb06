package import Identity

/// One source of cells: a field of view on disk, or an imported array of vectors.
package struct ImageRecord: Sendable, Equatable {
  /// Digest of the pixels of all channels with their roles (or of the imported array's bytes).
  package let identity: ContentHash
  /// What users call it: the part of the file names that its channels share, or the import's file name.
  package let name: String
  /// File of each channel by role, as given on the command line; a role "vectors" marks an import.
  package let files: [ChannelFile]
  /// Pixels; zero for an import.
  package let width: UInt32
  package let height: UInt32
  /// Rows that were given out to the image's cells, in order; those of cells that were deleted stay in them.
  package var rows: [Range<Row>]

  package init(
    identity: ContentHash, name: String, files: [ChannelFile], width: UInt32, height: UInt32,
    rows: [Range<Row>] = []
  ) {
    self.identity = identity
    self.name = name
    self.files = files
    self.width = width
    self.height = height
    self.rows = rows
  }
}

/// One channel's place on disk.
package struct ChannelFile: Sendable, Equatable, Encodable {
  package let role: String
  package let path: String
  /// Page or plane of the file that holds the channel, from 0.
  package let plane: Int

  package init(role: String, path: String, plane: Int) {
    self.role = role
    self.path = path
    self.plane = plane
  }
}
