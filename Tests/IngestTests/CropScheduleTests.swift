import Identity
import Imaging
import Testing

@testable import Ingest

@Suite struct CropScheduleTests {
  typealias Schedule = CropSchedule<String>

  /// An image of 4 x 4 pixels with this many cells of one pixel each, all with the same crop.
  private func image(
    _ name: String, cells: Int, content: ContentHash? = nil
  ) throws -> ReadImage<String> {
    let width = max(1, cells)
    let pixels = (0..<width).map { Float($0 + 1) }
    let plane = Plane(width: width, height: 1, sampleType: .uint16, pixels: pixels)
    let mask = LabelImage(width: width, height: 1, labels: (0..<width).map { cells > 0 ? UInt32($0 + 1) : 0 })
    let plan = try CropPlan(
      of: FieldImage(name: name, roles: ["a"], planes: [plane], mask: mask), source: .masks,
      recipe: CropRecipe(cropSizePx: 1, outputSizePx: 1, normalization: .range), segmentationRole: "")
    #expect(plan.cells.count == cells)
    return ReadImage(
      finding: name, plan: plan, content: content,
      work: PreparationWork(bytesRead: 10, readTime: .seconds(1), findTime: .seconds(2)))
  }

  private func limits(_ crops: Int, images: Int = 4, byteCount: Int = .max) -> Schedule.Limits {
    .init(cropsPerBatch: crops, cropValueCount: 1, images: images, byteCount: byteCount, cellsPerCut: 2)
  }

  /// Does all jobs by one thread and takes batches when there is nothing else to do.
  /// - Parameter readLast: reads are finished in reverse order, as far as that goes.
  private func drain(
    _ images: [ReadImage<String>], _ limits: Schedule.Limits, readLast: Bool = false,
    watch: (Schedule) -> Void = { _ in }
  ) -> [CropBatch<String>] {
    var schedule = Schedule(imageCount: images.count, limits: limits)
    var reading: [Int] = []
    var taken: [CropBatch<String>] = []
    func finishRead() {
      let number = readLast ? reading.removeLast() : reading.removeFirst()
      schedule.didRead(images[number], number: number)
    }
    while !schedule.isDone {
      watch(schedule)
      switch schedule.nextJob() {
      case .read(let number):
        reading.append(number)
        if !readLast { finishRead() }
      case .cut(let cut):
        cut.plan.cut(cut.cells, into: cut.memory.crops(cut.crops))
        schedule.didCut(cut, in: .seconds(1))
      case .stop, nil:
        if !reading.isEmpty {
          finishRead()
        } else if let batch = schedule.takeBatch() {
          taken.append(batch)
          schedule.release(batch)
        } else {
          Issue.record("nothing is to be done, and no batch is ready")
          return taken
        }
      }
    }
    return taken
  }

  /// The number of the image that is to be read now.
  private func nextRead(_ schedule: inout Schedule) throws -> Int {
    let job = schedule.nextJob()
    let number: Int? = if case .read(let number) = job { number } else { nil }
    return try #require(number, "an image is to be read")
  }

  private func nextCut(_ schedule: inout Schedule) throws -> Schedule.Cut {
    let job = schedule.nextJob()
    let cut: Schedule.Cut? = if case .cut(let cut) = job { cut } else { nil }
    return try #require(cut, "cells are to be cut")
  }

  private func expectNothingToDo(_ schedule: inout Schedule) {
    let job = schedule.nextJob()
    #expect(job == nil)
  }

  private func description(_ batch: CropBatch<String>) -> String {
    batch.parts.map { part in
      "\(part.finding)[\(part.crops.lowerBound)-\(part.crops.upperBound)\(part.isLast ? "" : "+")]"
    }.joined(separator: " ")
  }

  @Test(arguments: [false, true]) func imagesShareBatchesAndCrowdedOnesHaveSeveral(readLast: Bool) throws {
    let images = try [("a", 3), ("b", 0), ("c", 6), ("d", 1), ("e", 1)].map { try image($0.0, cells: $0.1) }
    let batches = drain(images, limits(4), readLast: readLast)
    #expect(batches.map(description) == ["a[0-3] b[3-3] c[3-4+]", "c[0-4+]", "c[0-1] d[1-2] e[2-3]"])
    #expect(batches.map(\.cropCount) == [4, 4, 3])
  }

  @Test func theFirstBatchesGrowToFullOnes() throws {
    var limits = limits(9)
    limits.cropsInFirstBatch = 2
    let batches = drain([try image("a", cells: 25)], limits)
    #expect(batches.map(\.cropCount) == [2, 4, 8, 9, 2])
  }

  @Test func theWorkOfAnImageIsCountedOnce() throws {
    let batches = drain([try image("a", cells: 5), try image("b", cells: 1)], limits(4))
    var work = PreparationWork()
    for batch in batches { work += batch.work }
    // Cuts of 2, 2, 1 and 1 cells.
    #expect(
      work
        == PreparationWork(
          bytesRead: 20, readTime: .seconds(2), findTime: .seconds(4), cutTime: .seconds(4)))
  }

  @Test func imagesWithoutCropsFillBatchesToo() throws {
    let images = try (0..<10).map { try image("\($0)", cells: 0) }
    let batches = drain(images, limits(4))
    #expect(batches.map(\.parts.count) == [4, 4, 2])
    #expect(batches.allSatisfy { $0.memory == nil && $0.parts.allSatisfy(\.isLast) })
  }

  @Test func ofTheSameContentOnlyTheFirstIsCut() throws {
    let content = ContentHash(of: "same")
    let images = try ["a", "b", "c"].map { try image($0, cells: 2, content: $0 == "b" ? nil : content) }
    let batches = drain(images, limits(8), readLast: true)
    #expect(batches.map(description) == ["a[0-2] b[2-4] c[4-4]"])
    #expect(batches[0].parts.map(\.original) == [nil, nil, 0])
  }

  @Test func noMoreImagesAreReadThanTheWindowHas() throws {
    var schedule = Schedule(imageCount: 10, limits: limits(4, images: 3))
    for number in 0..<3 {
      let read = try nextRead(&schedule)
      #expect(read == number)
    }
    expectNothingToDo(&schedule)
    // The second cannot be dealt before the first.
    schedule.didRead(try image("b", cells: 1), number: 1)
    expectNothingToDo(&schedule)
  }

  @Test func noFurtherImageIsReadWhileThoseThatWaitAreTooLarge() throws {
    let images = try (0..<12).map { try image("\($0)", cells: 40) }
    let byteCount = try #require(images[0].plan?.byteCount)
    #expect(byteCount == 320)
    var highest = 0
    let batches = drain(images, limits(8, images: 100, byteCount: 2 * byteCount)) {
      highest = max(highest, $0.waitingByteCount)
    }
    #expect(highest == 2 * byteCount)
    #expect(batches.reduce(0) { $0 + $1.cropCount } == 480)
  }

  @Test func memoryOfBatchesIsUsedAgain() throws {
    let images = try (0..<3).map { try image("\($0)", cells: 1000) }
    let batches = drain(images, limits(8))
    #expect(batches.count == 375)
    // All still exist here, so equal addresses are the same memory.
    let memories = Set(batches.compactMap { $0.memory.map { ObjectIdentifier($0) } })
    #expect(memories.count <= 3)
  }

  @Test func withoutReleaseThereAreThreeBatchesAndNoMore() throws {
    var schedule = Schedule(imageCount: 1, limits: limits(8))
    _ = try nextRead(&schedule)
    schedule.didRead(try image("a", cells: 1000), number: 0)
    var cells = 0
    while case .cut(let cut) = schedule.nextJob() {
      cells += cut.cells.count
      schedule.didCut(cut, in: .zero)
    }
    #expect(cells == 24)
    let taken = schedule.takeBatch()
    let batch = try #require(taken)
    expectNothingToDo(&schedule)
    schedule.release(batch)
    let cut = try nextCut(&schedule)
    #expect(cut.cells == 24..<26 && cut.crops == 0..<2)
  }

  @Test func aBatchIsNotHandedOutBeforeItIsCut() throws {
    var schedule = Schedule(imageCount: 1, limits: limits(8))
    _ = try nextRead(&schedule)
    schedule.didRead(try image("a", cells: 4), number: 0)
    let first = try nextCut(&schedule)
    let second = try nextCut(&schedule)
    schedule.didCut(second, in: .zero)
    let early = schedule.takeBatch()
    #expect(early == nil)
    schedule.didCut(first, in: .zero)
    let batch = schedule.takeBatch()
    #expect(batch?.cropCount == 4)
    #expect(schedule.isDone)
  }

  @Test func aBatchCanBeTakenBeforeItIsFull() throws {
    var schedule = Schedule(imageCount: 2, limits: limits(8))
    schedule.closeBatch()
    let empty = schedule.takeBatch()
    #expect(empty?.parts.isEmpty == true && empty?.memory == nil)
    _ = try nextRead(&schedule)
    schedule.didRead(try image("a", cells: 2), number: 0)
    let cut = try nextCut(&schedule)
    schedule.closeBatch()
    let uncut = schedule.takeBatch()
    #expect(uncut == nil)
    schedule.didCut(cut, in: .zero)
    let half = schedule.takeBatch()
    #expect(half.map(description) == "a[0-2]")
    _ = try nextRead(&schedule)
    schedule.didRead(try image("b", cells: 1), number: 1)
    let last = try nextCut(&schedule)
    #expect(last.crops == 0..<1 && last.batch == 2)
  }

  @Test func afterStopThereAreNoJobs() throws {
    var schedule = Schedule(imageCount: 5, limits: limits(8))
    _ = try nextRead(&schedule)
    schedule.stop()
    let job = schedule.nextJob()
    guard case .stop = job else {
      Issue.record("a job after stop")
      return
    }
  }
}
