import Glibc

/// How the learning rate moves from step to step.
package enum RateSchedule: String, Sendable, Equatable, Codable, CaseIterable {
  /// Half a cosine from the rate to zero: PyTorch's `CosineAnnealingLR` over all steps.
  case cosine
  /// Up to the rate and down again: PyTorch's `OneCycleLR` with its defaults, over all steps; the betas of
  /// AdamW stay.
  case oneCycle = "one-cycle"
  /// The rate, a tenth of it when the validation score has not risen for ten epochs, and so on: PyTorch's
  /// `ReduceLROnPlateau` with its defaults and `mode="max"`.
  case plateau

  /// Defaults of PyTorch 2.13's `OneCycleLR`.
  enum OneCycle {
    /// Part of the steps in which the rate rises.
    static let rise = 0.3
    /// The rate over the first step's rate.
    static let start = 25.0
    /// The first step's rate over the last step's.
    static let end = 1e4
  }

  /// Defaults of PyTorch 2.13's `ReduceLROnPlateau`.
  enum Plateau {
    static let factor = 0.1
    static let patience = 10
    /// A score has risen when it exceeds the best by this part of it.
    static let threshold = 1e-4
  }
}

/// The learning rate of one training.
struct RateControl: Sendable {
  let schedule: RateSchedule
  private let peak: Double
  private let steps: Int
  private var best = -Double.infinity
  private var idle = 0
  private var factor = 1.0

  /// - Parameters:
  ///   - peak: the rate that the schedule is about.
  ///   - steps: of all epochs together.
  init(_ schedule: RateSchedule, peak: Double, steps: Int) {
    self.schedule = schedule
    self.peak = peak
    self.steps = steps
  }

  /// The rate of a step, from 0.
  func rate(at step: Int) -> Double {
    switch schedule {
    case .cosine: peak * (1 + cos(.pi * Double(step) / Double(steps))) / 2
    case .oneCycle: oneCycleRate(at: Double(step))
    case .plateau: peak * factor
    }
  }

  private func oneCycleRate(at step: Double) -> Double {
    func between(_ start: Double, _ end: Double, _ part: Double) -> Double {
      end + (start - end) / 2 * (1 + cos(.pi * part))
    }
    let first = peak / RateSchedule.OneCycle.start
    let turn = RateSchedule.OneCycle.rise * Double(steps) - 1
    if step <= turn { return between(first, peak, turn > 0 ? step / turn : 1) }
    let fall = Double(steps) - 1 - turn
    return between(peak, first / RateSchedule.OneCycle.end, fall > 0 ? (step - turn) / fall : 1)
  }

  /// Takes note of an epoch's validation score.
  mutating func endEpoch(score: Double) {
    guard schedule == .plateau else { return }
    if score > best * (1 + RateSchedule.Plateau.threshold) || best == -.infinity {
      best = score
      idle = 0
    } else {
      idle += 1
    }
    if idle > RateSchedule.Plateau.patience {
      factor *= RateSchedule.Plateau.factor
      idle = 0
    }
  }
}
