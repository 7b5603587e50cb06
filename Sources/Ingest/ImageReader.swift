import Faults
import Glibc
import Identity
import Imaging
import Storage

/// The first stage of an ingest run: reads an image, looks whether the space has it, and finds its cells if not.
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

  struct Prepared: Sendable {
    enum Content: Sendable {
      /// The image is done in the space.
      case known(image: UInt32, ContentHash)
      /// The image is to be embedded; `change` says in what it differs from what the database has of it.
      /// `mask` is the digest of the mask that its cells come from.
      case new(FieldImage, CropPlan, mask: String?, change: Change?)
      case failed(Fault)

      var identity: ContentHash? {
        switch self {
        case .known(_, let identity): identity
        case .new(let image, _, _, _): image.identity
        case .failed: nil
        }
      }
    }

    /// A failure is one of the database, which ends the run.
    let content: Result<Content, any Error>
    let byteCount: Int
    let duration: Duration
  }

  func read(_ index: Int) -> Prepared {
    let clock = ContinuousClock()
    let start = clock.now
    let content = Result { try self.content(of: images[index]) }
    return Prepared(
      content: content, byteCount: images[index].byteCountOnDisk, duration: clock.now - start)
  }

  private func content(of source: FieldOfView) throws -> Prepared.Content {
    let image: FieldImage
    do {
      image = try readFieldOfView(recipe.ordered(source))
    } catch {
      return .failed(Fault(error, of: source))
    }
    let mask = recipe.source == .masks ? image.mask?.digest : nil
    let (known, change) = try database.read { snapshot -> (number: UInt32?, change: Change?) in
      guard let number = try snapshot.imageNumber(identity: image.identity) else {
        let names = snapshot.field(named: ImageMetadata.imageField)
        let isNamed = try names.map { try !snapshot.rows($0, equals: image.name).isEmpty } ?? false
        return (nil, isNamed ? .pixels : nil)
      }
      guard let outcome = try snapshot.outcome(image: number, space: space) else { return (nil, nil) }
      return outcome.mask == mask ? (number, nil) : (nil, .mask)
    }
    if let known { return .known(image: known, image.identity) }
    do {
      let plan = try CropPlan(
        of: image, source: recipe.source, recipe: recipe.crop, segmentationRole: recipe.segmentationRole)
      return .new(image, plan, mask: mask, change: change)
    } catch {
      return .failed(Fault(error, of: source))
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
