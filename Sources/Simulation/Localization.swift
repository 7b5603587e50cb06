/// The places in a cell that the simulation can draw, spelled as the Human Protein Atlas spells them.
package enum Localization: String, CaseIterable, Sendable {
  case nucleoplasm = "Nucleoplasm"
  case nucleoli = "Nucleoli"
  case nuclearMembrane = "Nuclear membrane"
  case cytosol = "Cytosol"
  case mitochondria = "Mitochondria"
  case golgiApparatus = "Golgi apparatus"
  case endoplasmicReticulum = "Endoplasmic reticulum"
  case plasmaMembrane = "Plasma membrane"
  case vesicles = "Vesicles"

  /// Pairs that one protein is often seen in; the first is the main location.
  static let mixtures: [[Localization]] = [
    [.nucleoplasm, .cytosol], [.golgiApparatus, .vesicles], [.cytosol, .plasmaMembrane],
    [.nucleoli, .nucleoplasm], [.mitochondria, .nucleoplasm], [.endoplasmicReticulum, .nuclearMembrane],
    [.vesicles, .plasmaMembrane], [.cytosol, .nucleoli], [.golgiApparatus, .nucleoplasm],
  ]

  /// The label set of the gene with the given number, so that every run of twelve genes has each location
  /// alone once and three mixtures, and any first genes of a set differ as much as they can.
  static func labelSet(ofGene number: Int) -> [Localization] {
    let (round, place) = number.quotientAndRemainder(dividingBy: allCases.count + 3)
    if place < allCases.count { return [allCases[place]] }
    return mixtures[(3 * round + place - allCases.count) % mixtures.count]
  }
}
