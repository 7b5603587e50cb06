import Faults
import Kernels

/// Heads that learn side by side from one stream of batches: those of several folds, those of a grid. A batch
/// is read and packed once for all of them.
///
/// A step has two phases, and threads wait for one another after each: in the first, a thread takes units of
/// the batch's samples through the heads and back; in the second, units of the layers' inputs, whose weights
/// it changes. Where threads are more than units, several take a unit, each through a share of the heads.
// Shared between threads: buffers of which each is written, in a phase, by the thread that has the unit, and
// read by others only in the other phase, with a barrier between; the rest is set before the threads begin.
// Hence @unchecked Sendable.
final class HeadStack<Source: SampleVectors>: @unchecked Sendable {
  let members: [HeadMember]
  private let source: Source
  private let labels: LabelTable
  private let targets: SoftTargets?
  private let stream: SampleStream
  private let standardization: Standardization
  private let configuration: TrainingConfiguration
  private let positiveWeights: [[Float]]
  private let batchSize: Int
  private let layout: PanelLayout
  private let batch: BatchPanels
  private let workers: [Worker]
  private let shape: HeadShape

  /// Losses of a sample: one of all classes together, or one a class.
  private var lossesOfSample: Int { configuration.task == .single ? 1 : labels.classes.count }

  /// A thread's own memory.
  private struct Worker {
    let vectors: VectorScratch
    let ahead: MemoryAhead
    let pass: PassScratch
    let update: UpdateScratch
  }

  /// - Parameters:
  ///   - standardization: of the vectors as they are packed.
  ///   - positiveWeights: for each set, of each class.
  ///   - batchSize: samples of a batch, of all sets together.
  init(
    members: [HeadMember], source: Source, labels: LabelTable, targets: SoftTargets?, stream: SampleStream,
    standardization: Standardization, configuration: TrainingConfiguration, positiveWeights: [[Float]],
    batchSize: Int, layout: PanelLayout, shape: HeadShape, threads: Int
  ) {
    self.members = members
    self.source = source
    self.labels = labels
    self.targets = targets
    self.stream = stream
    self.standardization = standardization
    self.configuration = configuration
    self.positiveWeights = positiveWeights
    self.batchSize = batchSize
    self.layout = layout
    self.shape = shape
    let batch = BatchPanels(layout: layout, dimension: source.dimension, capacity: batchSize)
    self.batch = batch
    workers = (0..<max(threads, 1)).map { _ in
      Worker(
        vectors: VectorScratch(layout: layout, dimension: source.dimension),
        ahead: MemoryAhead(capacity: PanelLayout.unit + batch.pieceCount),
        pass: PassScratch(layout: layout, shape: shape, setCount: positiveWeights.count),
        update: UpdateScratch())
    }
  }

  /// Batches that are prepared at once.
  private static var batchesAtOnce: Int { 256 }

  /// A batch of an epoch.
  private struct Batch: Sendable {
    let samples: ArraySlice<Int32>
    /// Of all epochs.
    let step: Int
    /// Runs of samples that the same sets learn from, by their ends, with these sets as bits.
    let memberships: [(end: Int, sets: UInt32)]
    /// What each set learns from.
    let learned: [LearnedRows]
    /// Members that learn from it, by number.
    let learning: [Int]
    let rows: Int

    var units: Int { (rows + PanelLayout.unit - 1) / PanelLayout.unit }

    func samples(of unit: Int) -> ArraySlice<Int32> {
      samples.dropFirst(unit * PanelLayout.unit).prefix(PanelLayout.unit)
    }
  }

  /// Trains all members that are active on an epoch's samples.
  ///
  /// - Parameters:
  ///   - order: the samples, a batch after the other. The less work, the closer in their batch are those that
  ///     the same sets learn from.
  ///   - firstStep: steps of the epochs before.
  /// - Returns: each member's mean loss over its samples, and over classes where each has a loss; NaN for one that saw
  ///   none.
  func train(order: some RandomAccessCollection<Int32> & Sendable, firstStep: Int) -> [Double] {
    let setCount = positiveWeights.count
    let sums = SumBuffer(count: members.count)
    var seen = [Int](repeating: 0, count: setCount)
    let batchCount = (order.count + batchSize - 1) / batchSize
    for first in stride(from: 0, to: batchCount, by: Self.batchesAtOnce) {
      let batches = concurrentMap(min(Self.batchesAtOnce, batchCount - first), threads: workers.count) {
        index in
        prepared(
          Array(order.dropFirst((first + index) * batchSize).prefix(batchSize)),
          step: firstStep + first + index)
      }
      train(batches, addingLossesTo: sums)
      for batch in batches {
        for set in 0..<setCount { seen[set] += batch.learned[set].count }
      }
    }
    return members.indices.map {
      sums.start[$0] / Double(seen[members[$0].set] * lossesOfSample)
    }
  }

  private func prepared(_ samples: [Int32], step: Int) -> Batch {
    var learned = [LearnedRows](repeating: LearnedRows(), count: positiveWeights.count)
    var memberships: [(end: Int, sets: UInt32)] = []
    // Samples of the same sets follow one another.
    for place in samples.indices {
      let sets = stream.sets(of: samples[place])
      if memberships.last?.sets == sets {
        memberships[memberships.count - 1].end = place + 1
      } else {
        memberships.append((place + 1, sets))
      }
    }
    var first = 0
    for (end, sets) in memberships {
      forEachSet(in: sets) { learned[$0].add(first..<end) }
      first = end
    }
    return Batch(
      samples: samples[...], step: step, memberships: memberships, learned: learned,
      learning: members.indices.filter { members[$0].isActive && learned[members[$0].set].count > 0 },
      rows: layout.padded(samples.count))
  }

  private func train(_ batches: [Batch], addingLossesTo sums: SumBuffer) {
    let units = batches.first?.units ?? 1
    let shares = max(1, min(workers.count / units, members.count))
    let threads = min(workers.count, units * shares)
    Crew.run(threads: threads) { worker, barrier in
      for (number, batch) in batches.enumerated() {
        let count = batch.units * shares
        for item in stride(from: worker, to: count, by: threads) {
          // What the thread takes after this.
          var next: (batch: Batch, unit: Int)?
          if item + threads < count {
            next = (batch, (item + threads) % batch.units)
          } else if number + 1 < batches.count, worker < batches[number + 1].units * shares {
            next = (batches[number + 1], worker % batches[number + 1].units)
          }
          learn(
            item % batch.units, of: batch, share: item / batch.units, of: shares, before: next, by: worker)
        }
        barrier.wait()
        update(batch, worker: worker, of: threads)
        if worker == 0 { addLosses(of: batch, to: sums) }
        barrier.wait()
        if worker == 0 {
          for member in batch.learning { members[member].stepCount += 1 }
        }
      }
    }
  }

  private func addLosses(of batch: Batch, to sums: SumBuffer) {
    for index in batch.learning {
      for unit in 0..<batch.units { sums.start[index] += members[index].losses.start[unit] }
    }
  }

  private func place(_ unit: Int, rows: Int) -> UnitPlace {
    let first = unit * PanelLayout.unit
    return UnitPlace(
      number: unit, firstRow: first, width: min(PanelLayout.unit, rows - first), batchRows: rows, column: 0)
  }

  /// Takes a unit of a batch through one of `shares` shares of the heads, and back.
  private func learn(
    _ unit: Int, of batch: Batch, share: Int, of shares: Int, before next: (batch: Batch, unit: Int)?,
    by worker: Int
  ) {
    let count = batch.learning.count
    let learning = batch.learning[count * share / shares..<count * (share + 1) / shares]
    if learning.isEmpty && share > 0 { return }
    let place = place(unit, rows: batch.rows)
    let samples = batch.samples(of: unit)
    let (scratch, pass) = (workers[worker].vectors, workers[worker].pass)
    self.batch.pack(
      samples, rows: place.width, firstRow: place.firstRow, batchRows: batch.rows, isLearned: share == 0,
      from: source,
      standardization: standardization, scratch: scratch)
    gatherTargets(of: samples, into: pass)
    pass.markPresence(batch.memberships, in: place.firstRow..<place.firstRow + samples.count)
    let loss = configuration.loss.kernel
    let parts = batch.learned.map { $0.part(of: place, step: layout.step) }
    let ahead = next.flatMap { next in
      let passes = learning.compactMap { parts[members[$0].set] }
      return askAhead(next.unit, of: next.batch, beside: passes, by: worker)
    }
    for index in learning {
      let member = members[index]
      guard let part = parts[member.set] else {
        member.passOver(unit)
        continue
      }
      let dropout = configuration.architecture.dropout
      // A pattern for each step, the same for all members: those of a grid differ by rate and decay alone.
      let pattern = configuration.seed &+ UInt64(batch.step) &* 0xD1B5_4A32_D192_ED03
      member.forward(
        part, vectors: scratch.vectors(from: part.column),
        dropout: dropout > 0 ? HeadMember.Dropout(probability: dropout, seed: pattern) : nil, isLearned: true,
        ahead: ahead, scratch: pass)
      member.backward(
        part, loss: loss, positiveWeights: positiveWeights[member.set],
        scale: 1 / (Float(batch.learned[member.set].count) * Float(lossesOfSample)), kept: 1 - dropout,
        scratch: pass)
    }
  }

  /// What the products of the first layer with parts of a unit take to ask for the memory of another.
  private func askAhead(
    _ unit: Int, of batch: Batch, beside parts: [UnitPlace], by worker: Int
  ) -> UnsafeMutablePointer<kernels_ahead>? {
    let layer = shape.layers[0]
    let turns = parts.reduce(0) {
      $0 + layout.turns(rows: layer.outputs, inputs: layer.inputs, outputs: $1.width)
    }
    return workers[worker].ahead.begin(turns: turns) { add in
      for sample in batch.samples(of: unit) { if let piece = source.memory(of: sample) { add(piece) } }
      let place = place(unit, rows: batch.rows)
      self.batch.forEachPiece(rows: place.width, firstRow: place.firstRow, batchRows: batch.rows, add)
    }
  }

  private func gatherTargets(of samples: ArraySlice<Int32>, into pass: PassScratch) {
    let values = pass.targets.floats
    values.update(repeating: 0, count: labels.classes.count * PanelLayout.unit)
    let soft = targets?.values
    for (column, sample) in samples.enumerated() {
      labels.forEachClass(of: sample) { place, member in
        values[Int(member) * PanelLayout.unit + column] = soft?[place] ?? 1
      }
    }
  }

  /// The thread's part of the optimiser's step.
  private func update(_ batch: Batch, worker: Int, of threads: Int) {
    let steps = batch.learning.map { Step(of: members[$0], at: batch.step) }
    // Members take turns at a unit of inputs, whose panels then lie in the cache.
    let places = shape.layers.enumerated().flatMap { index, layer in
      stride(from: 0, to: layer.inputs, by: PanelLayout.unit).map { (layer: index, start: $0) }
    }
    let scratch = workers[worker].update
    let firstBiases = scratch.sumFirstBiases(of: steps.map(\.member), units: batch.units)
    let count = places.count * steps.count
    for item in count * worker / threads..<count * (worker + 1) / threads {
      let (place, step) = (places[item / steps.count], steps[item % steps.count])
      let panels =
        step.member.layers[place.layer].activations.map {
          UnsafePointer($0.start + place.start * layout.words(batch.rows))
        } ?? self.batch.dimensions(from: place.start, rows: batch.rows)
      step.member.update(
        layer: place.layer, from: place.start, panels: panels, rows: batch.rows,
        learned: batch.learned[step.member.set], batchUnits: batch.units,
        firstBiases: firstBiases + item % steps.count * scratch.biasStride,
        factors: (weights: step.weights, biases: step.biases), scratch: scratch)
    }
  }

  /// A member's step of the optimiser: the factors of its weights, and of its biases, which do not decay.
  private struct Step {
    let member: HeadMember
    let weights: training_adamw_factors
    let biases: training_adamw_factors

    init(of member: HeadMember, at batchStep: Int) {
      self.member = member
      let rate = member.rates.rate(at: batchStep)
      func factors(decay: Double) -> training_adamw_factors {
        training_adamw_prepare(
          training_adamw_step(
            rate: rate, decay: decay, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: member.stepCount + 1))
      }
      weights = factors(decay: member.weightDecay)
      biases = factors(decay: 0)
    }
  }

  /// The active members' macro F1 on samples, at a probability of one half or, of one label, by the likeliest class,
  /// over the classes that have positives.
  /// - Returns: one a member of the set in the order of `members`; 0 when no class has positives.
  func macroF1(ofSet set: Int, on samples: [Int32]) -> [Double] {
    let tested = members.filter { $0.set == set }
    let classCount = labels.classes.count
    let units = (samples.count + PanelLayout.unit - 1) / PanelLayout.unit
    let threads = max(1, min(workers.count, units))
    // Whole numbers, which add up to the same whoever counts.
    let counts = (0..<threads).map { _ in CountBuffer(count: tested.count * classCount * 3) }
    Crew.run(threads: threads) { worker, _ in
      let counts = counts[worker]
      let (vectors, pass) = (workers[worker].vectors, workers[worker].pass)
      for unit in stride(from: worker, to: units, by: threads) {
        let start = unit * PanelLayout.unit
        let part = samples[start..<min(start + PanelLayout.unit, samples.count)]
        let place = place(0, rows: layout.padded(part.count))
        batch.pack(
          part, rows: place.width, firstRow: 0, batchRows: place.width, isLearned: false, from: source,
          standardization: standardization, scratch: vectors)
        gatherTargets(of: part, into: pass)
        pass.presence(of: set).update(repeating: 1, count: part.count)
        for (index, member) in tested.enumerated() where member.isActive {
          member.forward(
            place, vectors: vectors.vectors(from: 0), dropout: nil, isLearned: false, scratch: pass)
          member.count(
            part.count, task: configuration.task, scratch: pass, into: counts.start + index * classCount * 3)
        }
      }
    }
    return tested.indices.map { index in
      let scores = (0..<classCount).compactMap { row -> Double? in
        let sums = (0..<3).map { part in
          counts.reduce(UInt64(0)) { $0 + $1.start[(index * classCount + row) * 3 + part] }
        }
        guard sums[0] + sums[1] > 0 else { return nil }
        return Double(2 * sums[0]) / Double(2 * sums[0] + sums[1] + sums[2])
      }
      return scores.isEmpty ? 0 : scores.reduce(0, +) / Double(scores.count)
    }
  }
}

/// Counts that C kernels add to.
private final class CountBuffer {
  let start: UnsafeMutablePointer<UInt64>

  init(count: Int) {
    start = .allocate(capacity: max(count, 1))
    start.initialize(repeating: 0, count: max(count, 1))
  }

  deinit { start.deallocate() }
}
