import Faults
import Glibc
import Identity
import Imaging
import Storage

/// Reads an image, looks whether the space has it, and finds its cells if not.
struct ImageReader: Sendable {
  let images: [FieldOfView]
  let recipe: Recipe
  let space: SpaceRecord
  let database: Database

  enum Change: Sendable {
    /// The space has the image's cells by another mask.
    case mask
    /// The database has an image of the same name with other pixels or channels.
    case pixels
  }

  enum Finding: Sendable {
    /// The image is done in the space.
    case known(image: UInt32)
    /// The image is to be embedded; `change` says in what it differs from what the database has of it.
    case new(NewImage, change: Change?)
    /// The image cannot be used.
    case failed(Fault)
    /// The database cannot be read, which ends the run.
    case broken(any Error)
  }

  func read(_ number: Int) -> ReadImage<Finding> {
    let source = images[number]
    let clock = ContinuousClock()
    let start = clock.now
    var work = PreparationWork()
    work.bytesRead = source.byteCountOnDisk
    func end(_ finding: Finding, _ image: FieldImage? = nil, plan: CropPlan? = nil) -> ReadImage<Finding> {
      work.readTime = clock.now - start - work.findTime
      return ReadImage(finding: finding, plan: plan, content: image?.identity, work: work)
    }

    let image: FieldImage
    do {
      image = try readFieldOfView(recipe.ordered(source))
    } catch {
      return end(.failed(Fault(error, of: source)))
    }
    let mask = recipe.source == .masks ? image.mask?.digest : nil
    let (known, change): (UInt32?, Change?)
    do {
      (known, change) = try compare(image, mask: mask)
    } catch {
      return end(.broken(error))
    }
    if let known { return end(.known(image: known), image) }
    let findStart = clock.now
    do {
      let plan = try CropPlan(
        of: image, source: recipe.source, recipe: recipe.crop, segmentationRole: recipe.segmentationRole)
      work.findTime = clock.now - findStart
      let new = NewImage(image, plan, mask: mask, maskPath: mask == nil ? nil : source.mask?.path)
      return end(.new(new, change: change), image, plan: plan)
    } catch {
      return end(.failed(Fault(error, of: source)))
    }
  }

  /// The image's number, if it is done in the space; if not, in what it differs from what the database has.
  private func compare(_ image: FieldImage, mask: String?) throws -> (known: UInt32?, change: Change?) {
    try database.read { snapshot in
      guard let number = try snapshot.imageNumber(identity: image.identity) else {
        let names = snapshot.field(named: ImageMetadata.imageField)
        let isNamed = try names.map { try !snapshot.rows($0, equals: image.name).isEmpty } ?? false
        return (nil, isNamed ? .pixels : nil)
      }
      guard let outcome = try snapshot.outcome(image: number, space: space) else { return (nil, nil) }
      return outcome.mask == mask ? (number, nil) : (nil, .mask)
    }
  }
}

extension Fault {
  /// What a failure to use an image is to the user.
  init(_ error: any Error, of image: FieldOfView) {
    self = error as? Fault ?? Fault(.inputOutput, image.name, "cannot be read: \(error)")
  }
}

extension LabelImage {
  /// Digest of size and labels, as 32 hexadecimal digits (schema/store.md, "outcomes").
  var digest: String {
    var hasher = ContentHasher()
    hasher.combine(UInt32(width))
    hasher.combine(UInt32(height))
    labels.withUnsafeBytes { hasher.combine($0) }
    return hasher.finalize().description
  }
}

extension FieldOfView {
  /// Sizes of its files; a file that holds several channels counts once.
  fileprivate var byteCountOnDisk: Int {
    let paths = Set(channels.map(\.path) + (mask.map { [$0.path] } ?? []))
    return paths.reduce(0) { total, path in
      var status = stat()
      return stat(path, &status) == 0 ? total + Int(status.st_size) : total
    }
  }
}
