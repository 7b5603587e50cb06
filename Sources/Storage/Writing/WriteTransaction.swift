import Faults

/// Changes that become visible together.
///
/// Cells and images are written to LMDB at once. Row sets, number columns, and blocks of vectors collect in
/// memory and are written by `commit`, each once, however many cells of the transaction touch it.
package struct WriteTransaction: ~Copyable {
  let transaction: Transaction
  var fieldsByName: [String: Field]
  var spaces: [SpaceRecord]
  var texts = TextDictionary()
  var sets = PendingSets()
  var numbers = PendingNumbers()
  var blocks = PendingBlocks()
  /// How often a value of a cell was replaced by another one.
  var replacedCellCount = 0

  static func begin(_ transaction: consuming Transaction) throws -> WriteTransaction {
    let fields = try transaction.allFields()
    let spaces = try transaction.allSpaces()
    return WriteTransaction(transaction, fields: fields, spaces: spaces)
  }

  private init(_ transaction: consuming Transaction, fields: [Field], spaces: [SpaceRecord]) {
    self.transaction = transaction
    fieldsByName = Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0) })
    self.spaces = spaces
  }

  consuming func commit(_ durability: Durability) throws {
    try blocks.flush(to: transaction)
    try sets.flush(to: transaction)
    try numbers.flush(to: transaction)
    try transaction.commit(durability)
  }

  // MARK: Fields and spaces

  /// The field of a name; nil where there is none, or one of another type.
  package func field(named name: String, of type: FieldType) -> Field? {
    fieldsByName[name].flatMap { $0.type == type ? $0 : nil }
  }

  /// The field of this name, made when it is new.
  /// - Throws: `badData` when the field exists with another type.
  package mutating func field(named name: String, type: FieldType) throws -> Field {
    if let field = fieldsByName[name] {
      guard field.type == type else {
        throw Fault(
          .badData, "field \"\(name)\"", expected: "a \(field.type.rawValue), as it is in the database",
          found: "a \(type.rawValue)", remedy: "give the new values another field name")
      }
      return field
    }
    guard !name.isEmpty, let id = freeNumber(among: fieldsByName.values.map(\.id)) else {
      throw Fault(
        .badData, "field \"\(name)\"", "cannot be made: a name is needed, and at most 65,535 fields")
    }
    let field = Field(id: id, name: name, type: type)
    try put(field)
    return field
  }

  mutating func put(_ field: Field) throws {
    try transaction.put(
      .fields, Key().appending(field.id), [UInt8(field.type.code)] + Array(field.name.utf8))
    fieldsByName[field.name] = field
  }

  /// A new, empty space.
  package mutating func addSpace(
    name: String, dimension: Int, scalar: ScalarType = .float32, recipe: String? = nil,
    backboneHash: String? = nil
  ) throws -> SpaceRecord {
    guard (1...SpaceRecord.dimensionLimit).contains(dimension) else {
      throw Fault(
        .badData, "space \"\(name)\"", expected: "a dimension of 1 to \(SpaceRecord.dimensionLimit)",
        found: "\(dimension)")
    }
    guard !spaces.contains(where: { $0.name == name }), let id = freeNumber(among: spaces.map(\.id)) else {
      throw Fault(.usage, "space \"\(name)\"", "exists already", remedy: "choose another name")
    }
    let space = SpaceRecord(
      id: id, name: name, dimension: dimension, scalar: scalar, recipe: recipe, backboneHash: backboneHash)
    try transaction.put(.spaces, Key().appending(space.id), Document.encode(space))
    spaces.append(space)
    try noteScalars()
    return space
  }

  /// Notes where the weights of a space lie now, the precision of a run that uses them, and the table that its metadata come
  /// from.
  package mutating func noteRun(
    of backbone: BackboneReference, precision: String, table: SourceTable? = nil, in space: SpaceRecord
  ) throws -> SpaceRecord {
    guard let index = spaces.firstIndex(where: { $0.id == space.id }) else {
      throw Fault(.missingInput, "space \"\(space.name)\"", "is not in the database")
    }
    spaces[index].backbone = backbone
    spaces[index].add(precision: precision)
    if let table { spaces[index].add(table) }
    try transaction.put(.spaces, Key().appending(space.id), Document.encode(spaces[index]))
    return spaces[index]
  }

  package func space(named name: String) -> SpaceRecord? { spaces.first { $0.name == name } }

  // MARK: Images and heads

  /// The image's number: that of the known image with the same identity, else a new one.
  package mutating func addImage(_ image: ImageRecord) throws -> UInt32 {
    if let known = try transaction.imageNumber(identity: image.identity) { return known }
    let number = try take(1, from: .nextImage)
    try putImage(image, number)
    try withUnsafeBytes(of: number.littleEndian) {
      try transaction.put(.imageIDs, Key().appending(image.identity), $0)
    }
    return number
  }

  func putImage(_ image: ImageRecord, _ number: UInt32) throws {
    let document = image.document
    try transaction.put(.images, Key().appending(number), document)
    transaction.environment.knownImages.note(document, is: image)
  }

  /// Marks an image as done in a space.
  package func setOutcome(_ outcome: IngestOutcome, image: UInt32, space: SpaceRecord) throws {
    try transaction.put(.outcomes, Key().appending(space.id).appending(image), outcome.document)
  }

  package func hasOutcome(image: UInt32, space: SpaceRecord) throws -> Bool {
    try transaction.get(.outcomes, Key().appending(space.id).appending(image)) != nil
  }

  /// Stores a head under its name, in place of one that has the name already.
  package func saveHead(_ head: HeadRecord) throws {
    try HeadRecord.requireLength(of: head.name)
    try transaction.put(.heads, Key().appending(head.name), head.encoded())
  }

  /// Removes a head, if there is one of the name.
  package func dropHead(named name: String) throws {
    try transaction.delete(.heads, Key().appending(name))
  }

  /// The first of `count` new numbers.
  func take(_ count: Int, from counter: Counter) throws -> UInt32 {
    let first = try transaction.counter(counter)
    guard count <= Int(UInt32.max - first) else {
      throw Fault(.inputOutput, transaction.environment.path, "has given out all 4,294,967,295 numbers")
    }
    try withUnsafeBytes(of: (first + UInt32(count)).littleEndian) {
      try transaction.put(.header, counter.key, $0)
    }
    return first
  }
}

/// The number after the highest, so that a new field is the last one; where there is none, the lowest free
/// one.
private func freeNumber(among taken: [UInt16]) -> UInt16? {
  let limit = UInt16.max
  guard let highest = taken.max() else { return 0 }
  if highest + 1 < limit { return highest + 1 }
  let taken = Set(taken)
  return (0..<limit).first { !taken.contains($0) }
}
