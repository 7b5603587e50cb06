import Training

extension RunView {
  /// For each of the classes with the most samples the one of median probability: neither the best nor the worst that
  /// the head does. No sample twice.
  func typicalSamples(limit: Int) -> [Int] {
    var chosen: [Int] = []
    for index in order.prefix(limit) {
      let members = tested.filter { isTrue($0, index) && !chosen.contains($0) }
        .sorted { (probability($0, index), $0) < (probability($1, index), $1) }
      if !members.isEmpty { chosen.append(members[members.count / 2]) }
    }
    return chosen
  }
}
