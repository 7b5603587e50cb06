import Glibc
import Query
import Storage

/// How a search was carried out and how long it took, in lines for stderr.
struct SearchExplanation {
  private let start = ContinuousClock.now
  private let processorStart = SearchExplanation.processorSeconds()

  /// - Parameter queries: how many were searched for since this was made.
  func text(of plan: SearchPlan, queries: Int) -> String {
    let parts =
      [lines(of: plan, queries: queries)] + (plan.estimates.map { [line(of: $0)] } ?? [])
      + plan.fallbacks.map { line(of: $0, queries: queries) }
    return text(parts.joined(separator: "\n"), queries: queries)
  }

  /// The same of a search that is carried out in one way only.
  /// - Parameter way: what it does.
  func text(_ way: String, queries: Int) -> String {
    let elapsed = ContinuousClock.now - start
    let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    let processors = Self.processorSeconds() - processorStart
    return """
      \(way)
      \(queries) \(queries == 1 ? "query" : "queries") in \(rounded(seconds)) s, with \(rounded(processors)) s of processors
      """
  }

  private func lines(of plan: SearchPlan, queries: Int) -> String {
    func each(_ count: Int) -> Int { count / max(1, queries) }
    let fresh = plan.matching - plan.indexed
    let others = fresh > 0 ? ", and \(each(plan.scan.compared)) of the \(fresh) others" : ""
    switch plan.way {
    case .exact(let reason):
      let summary = "exact: each of \(plan.matching) matching vectors is compared; \(reason)"
      if plan.scan.coarse == 0 || each(plan.scan.compared) >= plan.matching { return summary }
      return """
        \(summary)
        int8 copies\(plan.scan.areStored ? "" : ", made for this search,") rule out most: a query is compared with \
        \(each(plan.scan.compared)) vectors as they are stored
        """
    case .graph(let calibration):
      return """
        graph: recall \(calibration.recall); it holds \(plan.indexed) of \(plan.matching) matching vectors
        a query visits \(each(plan.work.vertices)) vertices and compares \(each(plan.work.rows)) vectors\(others)
        """
    case .index(let calibration):
      return """
        index: recall \(calibration.recall); it holds \(plan.indexed) of \(plan.matching) matching vectors
        a query scans \(each(plan.work.codes)) codes of \(each(plan.work.lists)) lists and compares \
        \(each(plan.work.rows)) vectors\(others)
        """
    }
  }

  /// How the ways compare by which was chosen.
  private func line(of estimates: SearchPlan.Estimates) -> String {
    let ways = [
      estimates.graph.map { ("the graph", $0) }, estimates.index.map { ("the compact index", $0) },
      ("comparing all", estimates.exact),
    ].compactMap(\.self).sorted { $0.1 < $1.1 }
    let least = ways[0].1
    return "estimated to be fastest: \(ways[0].0)"
      + ways.dropFirst().map { ", \($0.0) \(($0.1 / least * 10).rounded() / 10) times as long" }.joined()
  }

  /// What became of queries that were given up.
  private func line(of fallback: SearchPlan.Fallback, queries: Int) -> String {
    let given = "given up for \(fallback.queries) of \(queries) queries: "
    func each(_ count: Int) -> Int { count / max(1, fallback.queries) }
    switch fallback.way {
    case .graph:
      return given
        + "farther through the graph each visits \(each(fallback.work.vertices)) vertices and compares "
        + "\(each(fallback.work.rows)) vectors"
    case .index:
      return given + "through the compact index each scans \(each(fallback.work.codes)) codes and compares "
        + "\(each(fallback.work.rows)) vectors"
    case .exact(let reason):
      let summary =
        (reason == SearchPlan.zero ? "queries of zeros, \(fallback.queries) of \(queries): " : given)
        + "each is compared with all matching vectors"
      if fallback.scan.coarse == 0 { return summary }
      return summary
        + ", of most with int8 copies, and with \(each(fallback.scan.compared)) as they are stored"
    }
  }

  private static func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  private func rounded(_ seconds: Double) -> Double { (seconds * 1e6).rounded() / 1e6 }
}
