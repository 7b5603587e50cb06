/// How far a search goes for a recall that was measured.
package protocol RecallCalibration {
  /// The share of the nearest neighbors that is found, on average.
  var recall: Double { get }
}

extension IndexRecord.Calibration: RecallCalibration {}
extension GraphRecord.Calibration: RecallCalibration {}

extension Array where Element: RecallCalibration {
  /// The cheapest calibration that finds as much as asked, of some by ascending recall; nil when none does.
  package func reaching(_ recall: Double) -> Element? { first { $0.recall >= recall } }
}
