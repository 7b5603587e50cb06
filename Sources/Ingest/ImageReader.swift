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

  struct Prepared: Sendable {
    enum Content: Sendable {
      /// The image is done in the space.
      case known(image: UInt32, ContentHash)
      case new(FieldImage, CropPlan)
      case failed(Fault)

      var identity: ContentHash? {
        switch self {
        case .known(_, let identity): identity
        case .new(let image, _): image.identity
        case .failed: nil
        }
      }
    }

    let content: Content
    let byteCount: Int
    let duration: Duration
  }

  func read(_ index: Int) -> Prepared {
    let clock = ContinuousClock()
    let start = clock.now
    var byteCount = 0
    let content: Prepared.Content
    do {
      let image = try readFieldOfView(recipe.ordered(images[index]))
      byteCount = images[index].byteCountOnDisk
      content = try find(image)
    } catch let fault as Fault {
      content = .failed(fault)
    } catch {
      content = .failed(Fault(.inputOutput, images[index].name, "cannot be read: \(error)"))
    }
    return Prepared(content: content, byteCount: byteCount, duration: clock.now - start)
  }

  private func find(_ image: FieldImage) throws -> Prepared.Content {
    let known = try database.read { snapshot -> UInt32? in
      guard let number = try snapshot.imageNumber(identity: image.identity),
        try snapshot.outcome(image: number, space: space) != nil
      else { return nil }
      return number
    }
    if let known { return .known(image: known, image.identity) }
    let plan = try CropPlan(
      of: image, source: recipe.source, recipe: recipe.crop, segmentationRole: recipe.segmentationRole)
    return .new(image, plan)
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
