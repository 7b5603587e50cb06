import Dispatch
import Imaging
import Synchronization
import Testing

@testable import Ingest

@Suite struct CropPipelineTests {
  /// Images of 0 to 36 cells, each pixel a cell of its own value.
  private func image(_ number: Int) -> ReadImage<Int> {
    let width = number * 7 % 37
    let pixels = (0..<max(1, width)).map { Float(number * 100 + $0) }
    let plane = Plane(width: pixels.count, height: 1, sampleType: .float32, pixels: pixels)
    let labels = pixels.indices.map { width > 0 ? UInt32($0 + 1) : 0 }
    let mask = LabelImage(width: pixels.count, height: 1, labels: labels)
    let plan = try? CropPlan(
      of: FieldImage(name: "", roles: ["a"], planes: [plane], mask: mask), source: .masks,
      recipe: CropRecipe(cropSizePx: 1, outputSizePx: 1, normalization: .range), segmentationRole: "")
    return ReadImage(finding: number, plan: plan, content: nil, work: PreparationWork(bytesRead: 1))
  }

  private let limits = CropSchedule<Int>.Limits(cropsPerBatch: 12, cropValueCount: 1, images: 5)

  @Test(arguments: [1, 2, 3, 8]) func everyCropComesOnceAndInOrder(threads: Int) throws {
    let pipeline = try CropPipeline(imageCount: 60, limits: limits, threads: threads) { image($0) }
    var crops: [Float] = []
    var images: [Int] = []
    var bytesRead = 0
    while let batch = pipeline.next() {
      if let memory = batch.memory { crops += memory.crops(0..<batch.cropCount) }
      images += batch.parts.filter(\.isLast).map(\.finding)
      bytesRead += batch.work.bytesRead
      pipeline.release(batch)
    }
    pipeline.finish()
    #expect(images == Array(0..<60))
    #expect(bytesRead == 60)
    #expect(crops == (0..<60).flatMap { number in (0..<number * 7 % 37).map { Float(number * 100 + $0) } })
  }

  @Test func noImagesAreNoBatch() throws {
    let pipeline = try CropPipeline(imageCount: 0, limits: limits, threads: 2) { image($0) }
    #expect(pipeline.next() == nil)
    pipeline.finish()
  }

  @Test func whoeverTakesBatchesWaitsForNoSlowImage() throws {
    let gate = DispatchSemaphore(value: 0)
    let pipeline = try CropPipeline(imageCount: 4, limits: limits, threads: 2) { number in
      if number == 2 { gate.wait() }
      return image(number)
    }
    var images: [Int] = []
    while images.count < 2, let batch = pipeline.next(patience: .milliseconds(1)) {
      images += batch.parts.filter(\.isLast).map(\.finding)
      pipeline.release(batch)
    }
    #expect(images == [0, 1])
    let nothing = pipeline.next(patience: .zero)
    #expect(nothing?.parts.isEmpty == true)
    if let nothing { pipeline.release(nothing) }
    gate.signal()
    while let batch = pipeline.next() {
      images += batch.parts.filter(\.isLast).map(\.finding)
      pipeline.release(batch)
    }
    pipeline.finish()
    #expect(images == [0, 1, 2, 3])
  }

  @Test func whatIsUnderWayEndsBeforeFinishReturns() throws {
    let counts = Mutex((started: 0, ended: 0))
    let pipeline = try CropPipeline(imageCount: 1000, limits: limits, threads: 4) { number in
      counts.withLock { $0.started += 1 }
      defer { counts.withLock { $0.ended += 1 } }
      return image(number)
    }
    _ = pipeline.next()
    pipeline.finish()
    counts.withLock {
      #expect($0.started == $0.ended)
      #expect($0.started < 1000)
    }
  }
}
