import ArgumentParser

/// What the parser asks of the type of each option at every start. Its own answers go through key paths and descriptions, for
/// which the runtime makes types and looks up conformances: as much as it takes to read a short command line.
extension ExpressibleByArgument where Self: CaseIterable, Self: RawRepresentable, RawValue == String {
  /// The names, in order of their cases.
  static var allValueStrings: [String] { allCases.map(\.rawValue) }

  /// None: a name says what it stands for.
  static var allValueDescriptions: [String: String] { [:] }

  var defaultValueDescription: String { rawValue }
}
